// Shows the OpenAPI document as a page.
import { fetchWithToken } from "./token.js";

const createElement = (name, ...children) => {
  const node = document.createElement(name);
  node.append(...children);
  return node;
};

function createTable(headings, rows) {
  const cells = (row, kind) => createElement("tr", ...row.map(text => createElement(kind, text)));
  return createElement("table", createElement("thead", cells(headings, "th")), createElement("tbody", ...rows.map(row => cells(row, "td"))));
}

function typeOf(schema) {
  const kind = schema.type === "array" ? `${schema.minItems ?? ""} ${schema.items.type}s` : schema.type;
  const base = schema.enum ? schema.enum.join(" or ") : schema.format === "binary" ? "file" : kind;
  return schema.nullable ? `${base} or null` : base;
}

const createFieldTable = schema => createTable(
  ["Field", "Type", "Meaning"],
  Object.entries(schema.properties).map(([name, field]) => [name, typeOf(field), field.description ?? ""]),
);

// Returns the schema that a response refers to.
function findSchema(openapi, response) {
  const { $ref } = response.content["application/json"].schema;
  return openapi.components.schemas[$ref.split("/").pop()];
}

function curl(method, path, form) {
  const files = Object.keys(form?.properties ?? {}).map(name => ` -F ${name}=@${name}.jpg`).join("");
  const query = method === "post" ? "?detect=true" : "";
  return `curl${files} '${location.origin}${path}${query}'`;
}

function createSection(openapi, path, method, operation) {
  const form = operation.requestBody?.content["multipart/form-data"].schema;
  const children = [
    createElement("h2", createElement("code", `${method.toUpperCase()} ${path}`)),
    createElement("p", operation.description ?? `${operation.summary}.`),
    createElement("pre", curl(method, path, form)),
  ];
  if (form) {
    const query = operation.parameters.map(item => [`?${item.name}`, typeOf(item.schema), item.description]);
    const files = Object.entries(form.properties).map(([name, field]) => [name, typeOf(field), field.description]);
    children.push(createElement("h3", "Request"), createTable(["Name", "Type", "Meaning"], [...files, ...query]));
  }
  children.push(createElement("h3", "Response"), createFieldTable(findSchema(openapi, operation.responses["200"])));
  const errors = Object.entries(operation.responses).filter(([status]) => status !== "200");
  if (errors.length) {
    children.push(createElement("h3", "Errors"), createTable(["Status", "When"], errors.map(([status, { description }]) => [status, description])));
  }
  if (form) {
    children.push(createElement("h3", "Error response"), createFieldTable(openapi.components.schemas.Error));
  }
  return createElement("section", ...children);
}

const openapi = await (await fetchWithToken("/openapi.json")).json();
document.getElementById("about").textContent = openapi.info.description;
for (const [path, methods] of Object.entries(openapi.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    document.getElementById("operations").append(createSection(openapi, path, method, operation));
  }
}

// The OpenAPI document as a page.

const element = (name, ...children) => {
  const made = document.createElement(name);
  made.append(...children);
  return made;
};

function table(heads, rows) {
  const cells = (row, kind) => element("tr", ...row.map(text => element(kind, text)));
  return element("table", element("thead", cells(heads, "th")), element("tbody", ...rows.map(row => cells(row, "td"))));
}

function typeOf(schema) {
  const kind = schema.type === "array" ? `${schema.minItems ?? ""} ${schema.items.type}s` : schema.type;
  const base = schema.enum ? schema.enum.join(" or ") : schema.format === "binary" ? "file" : kind;
  return schema.nullable ? `${base} or null` : base;
}

const fields = schema => table(
  ["Field", "Type", "Meaning"],
  Object.entries(schema.properties).map(([name, field]) => [name, typeOf(field), field.description ?? ""]),
);

// The schema that an answer refers to.
function resolve(document_, answer) {
  const { $ref } = answer.content["application/json"].schema;
  return document_.components.schemas[$ref.split("/").pop()];
}

function curl(method, path, form) {
  const files = Object.keys(form?.properties ?? {}).map(name => ` -F ${name}=@${name}.jpg`).join("");
  const query = method === "post" ? "?detect=true" : "";
  return `curl${files} '${location.origin}${path}${query}'`;
}

function operation(document_, path, method, described) {
  const form = described.requestBody?.content["multipart/form-data"].schema;
  const parts = [
    element("h2", element("code", `${method.toUpperCase()} ${path}`)),
    element("p", described.description ?? `${described.summary}.`),
    element("pre", curl(method, path, form)),
  ];
  if (form) {
    const query = described.parameters.map(item => [`?${item.name}`, typeOf(item.schema), item.description]);
    const files = Object.entries(form.properties).map(([name, field]) => [name, typeOf(field), field.description]);
    parts.push(element("h3", "Takes"), table(["Name", "Type", "Meaning"], [...files, ...query]));
  }
  parts.push(element("h3", "Gives"), fields(resolve(document_, described.responses["200"])));
  const refusals = Object.entries(described.responses).filter(([status]) => status !== "200");
  if (refusals.length) {
    parts.push(element("h3", "Refuses"), table(["Status", "When"], refusals.map(([status, { description }]) => [status, description])));
    parts.push(element("h3", "With"), fields(resolve(document_, described.responses["400"])));
  }
  return element("section", ...parts);
}

const found = await (await fetch("/openapi.json")).json();
document.getElementById("about").textContent = found.info.description;
for (const [path, methods] of Object.entries(found.paths)) {
  for (const [method, described] of Object.entries(methods)) {
    document.getElementById("operations").append(operation(found, path, method, described));
  }
}

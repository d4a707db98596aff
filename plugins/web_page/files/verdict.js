// The section of a page that shows a verdict, or a message in its place.

export const VERDICTS = { live: "Live", attack: "Attack", uncertain: "Uncertain" };
export const byId = id => document.getElementById(id);
export const formatNumber = value => Number(value.toPrecision(4)).toString();

export function showMessage(heading, detail = "") {
  showHeading("", heading, detail);
  byId("scale").hidden = true;
  byId("details").replaceChildren();
}

// `verdict` gives the colours: live, attack, uncertain, or "" for none.
export function showHeading(verdict, heading, detail) {
  byId("verdict").className = verdict;
  byId("verdict").textContent = heading;
  byId("error").textContent = detail;
}

// `threshold` is null for a model that has none.
export function showScale(score, threshold) {
  const clamp = value => Math.min(Math.max(value, 0), 1);
  const scale = byId("scale");
  scale.hidden = false;
  scale.ariaLabel = `Score ${formatNumber(score)}`;
  scale.style.setProperty("--score", clamp(score));
  byId("tick").hidden = threshold === null;
  if (threshold === null) return;
  scale.ariaLabel += `, threshold ${formatNumber(threshold)}`;
  scale.style.setProperty("--threshold", clamp(threshold));
}

// `details` are texts by the term that they explain.
export function showDetails(details) {
  byId("details").replaceChildren(...Object.entries(details).flatMap(([term, text]) => {
    const [name, value] = [document.createElement("dt"), document.createElement("dd")];
    [name.textContent, value.textContent] = [term, text];
    return [name, value];
  }));
}

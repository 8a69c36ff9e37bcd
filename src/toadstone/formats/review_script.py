"""The script of the review page: joins a person's choices to a suppression file."""

SCRIPT = r"""
"use strict";
const bar = document.getElementById("bar");
const said = document.getElementById("said");
const escaped = (sign) => sign.codePointAt(0) < 0x10000
  ? "\\u" + sign.codePointAt(0).toString(16).padStart(4, "0") : "\\U" + sign.codePointAt(0).toString(16).padStart(8, "0");
const quoted = (words) => '"' + Array.from(words, (sign) => sign === '"' || sign === "\\" ? "\\" + sign
  : sign >= " " && sign <= "~" ? sign : escaped(sign)).join("") + '"';
function choices() {
  const lines = ["# Choices of a review of " + bar.dataset.name];
  const missing = [];
  document.querySelectorAll("section.group").forEach((group, number) => {
    const chosen = group.querySelector("input[type=radio]:checked").value;
    const reason = document.getElementById("reason-" + number).value.trim();
    const stands = group.dataset.stands === "1";
    if (stands && chosen === "keep") {
      if (!reason) { missing.push(number); }
      lines.push("", "[[suppress]]", "check = " + group.dataset.check, "group = " + group.dataset.group,
        "reason = " + quoted(reason), "expires = " + document.getElementById("expires").value);
    } else if (!stands && chosen === "quarantine") {
      lines.push("", "[[quarantine]]", "check = " + group.dataset.check, "group = " + group.dataset.group);
      if (reason) { lines.push("reason = " + quoted(reason)); }
    }
  });
  const rows = { keep: new Set(), quarantine: new Set() };
  document.querySelectorAll("select[data-row]").forEach((select) => {
    if (select.value) { rows[select.value].add(Number(select.dataset.row)); }
  });
  const both = [...rows.keep].filter((row) => rows.quarantine.has(row));
  if (rows.keep.size + rows.quarantine.size) {
    const listed = (set) => "[" + [...set].sort((one, other) => one - other).join(", ") + "]";
    lines.push("", "[rows]", "count = " + bar.dataset.count);
    if (bar.dataset.sha256) { lines.push("sha256 = \"" + bar.dataset.sha256 + "\""); }
    lines.push("keep = " + listed(rows.keep), "quarantine = " + listed(rows.quarantine));
  }
  return { text: lines.join("\n") + "\n", missing, both, any: lines.length > 1 };
}
function look() {
  const made = choices();
  document.getElementById("file").textContent = made.text;
  return made;
}
if (bar) {
  document.addEventListener("change", look);
  document.getElementById("export").addEventListener("click", () => {
    const made = look();
    if (made.both.length) { said.textContent = "Row " + made.both[0] + " is to be kept and to be quarantined."; return; }
    if (made.missing.length) {
      said.textContent = "Say why the rows are kept.";
      document.getElementById("reason-" + made.missing[0]).focus();
      return;
    }
    if (!made.any) { said.textContent = "Nothing was changed: there is nothing to export."; return; }
    if (!document.getElementById("expires").value) { said.textContent = "Say until when."; return; }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([made.text], { type: "application/toml" }));
    link.download = "review.toml";
    link.click();
    said.textContent = "review.toml was saved.";
  });
  look();
}
"""

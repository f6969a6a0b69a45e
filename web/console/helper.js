// Helper mode: a scan goes in, the number and what to say come out. Nothing is kept, and what was scanned is not shown.
const field = document.getElementById("scan");
const said = document.getElementById("said");

function show(kind, answer) {
  const lines = [
    ["ticket", answer.ticket ?? ""],
    ["zh", answer.zh],
    ["en", answer.en],
  ].filter(([, text]) => text);
  said.dataset.kind = kind;
  said.replaceChildren(
    ...lines.map(([name, text]) => {
      const line = document.createElement("p");
      line.className = name;
      line.textContent = text;
      if (name === "en") line.lang = "en";
      return line;
    }),
  );
}

async function checkIn(scan) {
  try {
    const answer = await fetch("/console/helper/checkins", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ scan }),
    });
    const told = await answer.json();
    show(answer.ok && told.ticket ? "good" : "bad", told);
  } catch {
    show("bad", { zh: "采集台没有应答，请告诉操作员。", en: "The desk does not answer: tell the operator." });
  }
}

field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !field.value.trim()) return;
  const scan = field.value;
  field.value = "";
  checkIn(scan);
});
// A scanner types wherever the cursor is: it is to be here.
document.addEventListener("click", () => field.focus());
field.focus();

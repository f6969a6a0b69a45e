// Helper mode: a scan goes in, the number and what to say come out. Nothing is kept, and what was scanned is not shown.
import { choose, pictures } from "./pictures.js";
import { STOPPED, WEBCAM, Webcam } from "./webcam.js";

const at = (name) => document.getElementById(name);
const field = at("scan");
const said = at("said");

function lines(place, texts) {
  place.replaceChildren(
    ...texts
      .filter(([, text]) => text)
      .map(([name, text]) => {
        const line = document.createElement("span");
        line.className = name;
        line.textContent = text;
        if (name === "en") line.lang = "en";
        return line;
      }),
  );
}

function show(answer) {
  said.dataset.kind = answer.ticket ? "good" : "bad";
  lines(said, [["ticket", answer.ticket], ["zh", answer.zh], ["en", answer.en]]);
}

// What the desk answers, or its problem thrown.
async function post(path, body, kind) {
  const answer = await fetch(`/console/helper/${path}`, { method: "POST", headers: { "content-type": kind }, body });
  const told = await answer.json();
  if (!answer.ok) throw told;
  return told;
}

const GONE = { zh: "采集台没有应答，请告诉操作员。", en: "The desk does not answer: tell the operator." };

const checkIn = (path, body, kind) => post(path, body, kind).catch((problem) => (problem.code ? problem : GONE)).then(show);
const pictured = (picture) => checkIn("checkins/picture", picture, picture.type || "application/octet-stream");

field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !field.value.trim()) return;
  const scan = field.value;
  field.value = "";
  checkIn("checkins", JSON.stringify({ scan }), "application/json");
});

// ---- a webcam
const webcam = new Webcam({
  send: (frame) => post("checkins/webcam", frame, "image/jpeg"),
  read: show,
  told(state) {
    const words = WEBCAM[state];
    at("watched").dataset.state = state;
    at("eye").hidden = STOPPED.includes(state);
    at("other").hidden = STOPPED.includes(state) || (webcam.devices?.length ?? 0) < 2;
    lines(at("state"), [["sign", words.sign], ["zh", [words.zh, words.more_zh].filter(Boolean).join("：")], ["en", words.en]]);
    if (STOPPED.includes(state)) named(false);
  },
});
at("eye").append(webcam.video);
let on = false;

function named(now) {
  on = now;
  at("webcam").firstChild.textContent = now ? "关闭摄像头 " : "用摄像头扫码 ";
  at("webcam").lastChild.textContent = now ? "webcam off" : "scan with a webcam";
}

at("webcam").addEventListener("click", () => {
  named(!on);
  at("watched").hidden = !on;
  if (on) webcam.open();
  else webcam.close();
});
at("other").addEventListener("click", () => webcam.other());
at("picture").addEventListener("click", () => choose(pictured));
pictures(pictured);
// A scanner types wherever the cursor is: it is to be here.
document.addEventListener("click", () => field.focus());
field.focus();

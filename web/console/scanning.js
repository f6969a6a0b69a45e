// The webcam in the console's rail: what it sees, small, and in words whether there is a code.
import { html, reactive } from "./markup.js";
import { STOPPED, WEBCAM, Webcam } from "./webcam.js";

export const scanning = reactive({ on: false, state: "opening", several: false });
let webcam = null;

// `how`: send, read and busy, as `Webcam` wants them.
export function toggle(how) {
  webcam ??= new Webcam({ ...how, told });
  scanning.on = !scanning.on;
  if (scanning.on) webcam.open();
  else webcam.close();
}

function told(state) {
  scanning.state = state;
  scanning.several = (webcam.devices?.length ?? 0) > 1;
}

// An element that leaves the page stands still: it is set going again wherever it comes back.
const show = (node) => {
  node.el.append(webcam.video);
  if (webcam.stream) webcam.video.play().catch(() => null);
};

const quietly = (event) => event.preventDefault(); // a click takes no focus: the keyboard stays the scanner's

export function Scanning({ close }) {
  const said = WEBCAM[scanning.state];
  const stopped = STOPPED.includes(scanning.state);
  const button = (act, zh, en) => html`<button tabindex="-1" onMousedown=${quietly} onClick=${act}>${zh}<i>${en}</i></button>`;
  return html`
    <div class=${`webcam ${scanning.state}`} data-test="webcam" data-state=${scanning.state}>
      <h2>摄像头<i>webcam</i>${scanning.several && !stopped ? button(() => webcam.other(), "换", "other") : null}${button(close, "关", "off")}</h2>
      <div class="eye" key="eye" hidden=${stopped} onVnodeMounted=${show}></div>
      <p class="state" role="status"><b>${said.sign}</b><span>${said.zh}<i>${said.en}</i></span></p>
      ${said.more_zh ? html`<p class="more">${said.more_zh}<i>${said.more_en}</i></p>` : null}
      ${stopped ? html`<div class="ways">${button(() => webcam.open(), "再打开", "open again")}</div>` : null}
    </div>
  `;
}

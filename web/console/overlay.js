// A frame with what the inspection measured drawn over it: head, eyes, chin, and what will be cut out.
import { html, ref, watch } from "./markup.js";

// Which line a rule speaks of. What is wrong is drawn thick, with a sign: colour is never the only difference.
const LINE_OF = { P1: "crown", P2: "eyes", P3: "sides", P4: "middle", "H1-roll": "pupils", "H1-yaw": "middle" };
const EYE_RULES = ["H1-eyes", "H1-lids"];

export const Picture = {
  props: ["frame"],
  setup(props) {
    const size = ref(null);
    const failed = ref(false);
    const url = () => `/console/frames/${props.frame.capture_id}.jpg`;
    watch(
      () => props.frame.capture_id,
      () => {
        size.value = null;
        failed.value = false;
        const picture = new Image();
        picture.onload = () => (size.value = { width: picture.naturalWidth, height: picture.naturalHeight, url: picture.src });
        picture.onerror = () => (failed.value = true);
        picture.src = url();
      },
      { immediate: true },
    );
    return () => {
      if (failed.value) return html`<div class="nothing">照片已上传，本机不再保留<small>sent; no longer on this machine</small></div>`;
      if (!size.value) return html`<div class="nothing"><span class="turning">◌</span></div>`;
      const { width, height } = size.value;
      return html`
        <svg class="picture" viewBox=${`0 0 ${width} ${height}`} role="img" aria-label="照片 frame">
          <image href=${size.value.url} width=${width} height=${height} />
          ${props.frame.marks ? marks(props.frame, width, height) : null}
        </svg>
      `;
    };
  },
};

function marks(frame, width, height) {
  const m = frame.marks;
  const wrong = new Set(frame.rules.map((rule) => LINE_OF[rule]));
  const eyesWrong = EYE_RULES.some((rule) => frame.rules.includes(rule));
  const unit = width / 100;
  const [cx, cy, cw, ch] = (m.crop ?? [0, 0, 1, 1]).map((share, i) => share * (i % 2 ? height : width));
  const [left, right] = [m.left_x * width, m.right_x * width];
  const at = (y) => y * height;
  const [from, to] = [left - 2 * unit, right + 2 * unit];
  const roomLeft = (left + right) / 2 > cx + cw / 2; // the words stand where the face does not
  const words = roomLeft ? { x: cx + unit, "text-anchor": "start" } : { x: cx + cw - unit, "text-anchor": "end" };
  const level = (name, y, zh) => html`
    <g class=${wrong.has(name) ? "mark wrong" : "mark"}>
      <path class="under" d=${`M${cx} ${at(y)}H${from}M${to} ${at(y)}H${cx + cw}`} />
      <path d=${`M${cx} ${at(y)}H${from}M${to} ${at(y)}H${cx + cw}`} />
      <path class="across" d=${`M${from} ${at(y)}H${to}`} />
      <text ...${words} y=${at(y) - unit} font-size=${3.6 * unit}>${wrong.has(name) ? "✗ " : ""}${zh}</text>
    </g>
  `;
  const upright = (name, x) => html`
    <g class=${wrong.has(name) ? "mark wrong" : "mark"}>
      <path class="under" d=${`M${x} ${at(m.crown_y)}V${at(m.chin_y)}`} />
      <path d=${`M${x} ${at(m.crown_y)}V${at(m.chin_y)}`} />
    </g>
  `;
  const pupil = ([x, y]) => html`<circle class=${eyesWrong ? "wrong" : ""} cx=${x * width} cy=${at(y)} r=${1.5 * unit} />`;
  return html`
    <g>
      <path class="outside" fill-rule="evenodd" d=${`M0 0H${width}V${height}H0Z M${cx} ${cy}h${cw}v${ch}h${-cw}Z`} />
      <rect class="crop" x=${cx} y=${cy} width=${cw} height=${ch} />
      ${level("crown", m.crown_y, "头顶")} ${level("eyes", m.eyes_y, "眼睛")} ${level("chin", m.chin_y, "下巴")}
      ${upright("sides", left)} ${upright("sides", right)}
      ${wrong.has("middle") ? upright("middle", (left + right) / 2) : null}
      <g class="pupils">
        ${wrong.has("pupils")
          ? html`<line class="wrong" x1=${m.left_eye[0] * width} y1=${at(m.left_eye[1])} x2=${m.right_eye[0] * width} y2=${at(m.right_eye[1])} />`
          : null}
        ${pupil(m.left_eye)} ${pupil(m.right_eye)}
      </g>
    </g>
  `;
}

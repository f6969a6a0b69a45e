// What the camera sees now, small, while somebody sits and no frame waits; only where the station says that it can.
import { html, onBeforeUnmount, reactive, ref } from "./markup.js";

const PAUSE_MS = 250;
const AGAIN_MS = 3000; // a camera that is being opened, or in trouble

// `wanted`: null until the operator has said; then as said.
export const live = reactive({ wanted: null });

export function shows(view) {
  return on(view) && view.mode === "seated" && !view.frame;
}

export const on = (view) => view.health.camera.live_view && live.wanted !== false;

export function toggle(view) {
  live.wanted = !on(view);
}

export const Live = {
  setup() {
    const url = ref("");
    let count = 0;
    let timer = 0;
    let ended = false;
    const next = () => {
      const picture = new Image();
      picture.onload = () => {
        if (ended) return;
        url.value = picture.src;
        timer = setTimeout(next, PAUSE_MS);
      };
      picture.onerror = () => {
        if (!ended) timer = setTimeout(next, AGAIN_MS);
      };
      count += 1;
      picture.src = `/console/live.jpg?${count}`;
    };
    next();
    onBeforeUnmount(() => {
      ended = true;
      clearTimeout(timer);
    });
    return () => html`
      <div class="live" data-test="live">
        ${url.value ? html`<img src=${url.value} alt="实时取景 live view" />` : html`<span class="turning">◌</span>`}
        <div><b>●</b> 实时取景 <i>live · Ins</i></div>
      </div>
    `;
  },
};

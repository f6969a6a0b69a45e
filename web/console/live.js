// What the camera sees now, small, while somebody sits and no frame waits. A camera that refuses is not asked again.
import { html, onBeforeUnmount, reactive, ref } from "./markup.js";

const PAUSE_MS = 250;

// `wanted`: null until the operator has said; then as said.
export const live = reactive({ wanted: null, refused: false });

export function shows(view) {
  const can = view.health.camera.live_view && !live.refused;
  return can && live.wanted !== false && view.mode === "seated" && !view.frame;
}

export function toggle(view) {
  const on = view.health.camera.live_view && !live.refused && live.wanted !== false;
  live.wanted = !on;
  live.refused = false;
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
        if (!ended) live.refused = true;
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

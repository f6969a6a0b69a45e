// Questions to the operator, and a suspected drift, as the page shows them.
import { step } from "./dialogs.js";
import { Members } from "./hall.js";
import { html } from "./markup.js";
import { Picture } from "./overlay.js";

// Each question has the focus, so that it is read out, and Tab finds its field. A key goes where it went before.
const focus = (node) => node.el.focus({ preventScroll: true });

export function Dialog({ dialog, view, choose, cancel, typed }) {
  const now = step(dialog);
  const quietly = (event) => event.preventDefault();
  return html`
    <div class="veil" onClick=${(event) => event.target === event.currentTarget && cancel()}>
      <div key=${`${dialog.kind} ${now?.title?.en}`} class=${dialog.tone ? `dialog tone-${dialog.tone}` : "dialog"} role="dialog" aria-modal="true" aria-label=${dialog.title.zh} tabindex="-1" onVnodeMounted=${focus} data-dialog=${dialog.kind}>
        <h1>${dialog.sign ? html`<b class="sign">${dialog.sign}</b>` : null}${dialog.title.zh}<i>${dialog.title.en}</i></h1>
        ${dialog.counts ? counts(dialog) : null}
        ${(dialog.lines ?? []).map((line) => html`<p key=${line.en}>${line.zh}<small>${line.en}</small></p>`)}
        ${dialog.kind === "help" ? keys() : null} ${dialog.kind === "devices" ? devices(view) : null}
        ${now?.title ? html`<h2>${now.title.zh}<i>${now.title.en}</i></h2>` : null}
        <div class="options">
          ${now?.options.map(
            (option, i) => html`
              <button key=${option.en + option.zh} class=${i === dialog.at ? "at" : ""} tabindex="-1" onMousedown=${quietly} onClick=${() => choose(i)}>
                <b>${i === dialog.at ? "▶" : ""}</b><span>${option.zh}<i>${option.en}</i></span>
              </button>
            `,
          )}
        </div>
        ${now?.typed ? free(now.typed, typed) : null}
        <p class="how">${hint(dialog, now)}</p>
      </div>
    </div>
  `;
}

const FIELD = {
  code: "在此输入 type here",
  number: "其他号码 another number",
  reason: "其他原因（不要写姓名） another reason, no names",
};

function free(kind, typed) {
  const hand = (event) => {
    event.preventDefault();
    const text = event.target.elements.text.value.trim();
    if (text) typed(text);
  };
  return html`<form class="free" autocomplete="off" onSubmit=${hand}><input name="text" type="text" data-words=${kind === "code" ? null : ""} maxlength="180" autocomplete="off" spellcheck="false" placeholder=${FIELD[kind]} /><button type="submit" tabindex="-1">↵</button></form>`;
}

function hint(dialog, now) {
  const choice = now?.options.length > 1 ? html`<kbd>↑</kbd><kbd>↓</kbd> 选择 choose　` : null;
  return html`${choice}${now?.options.length ? html`<kbd>空格</kbd> 确定 confirm　` : null}<kbd>Esc</kbd> 返回 back`;
}

function counts(dialog) {
  return html`<div class="counts">${dialog.counts.map((one) => html`<div key=${one.en} class=${one.off ? "off" : ""}><b>${one.off ? "≠ " : ""}${one.count}</b><span>${one.zh}<i>${one.en}</i></span></div>`)}</div>`;
}

// Everything that a device says of itself; the chips have room for the first of it.
function devices(view) {
  const { camera, reader, printer } = view.health;
  const rows = [["相机", "camera", view.devices.camera, camera]];
  if (reader) rows.push(["读卡器", "card reader", view.devices.reader, reader]);
  if (printer) rows.push(["号条打印机", "slip printer", view.devices.printer, printer]);
  return html`
    <table class="keys devices">${rows.map(
      ([zh, en, name, gear]) => html`<tr key=${en}><th>${zh}<i>${en}</i></th><td><b>${gear.trouble ? "▲ 故障 fault" : gear.ready ? "✓ 正常 well" : "◌ 连接中 connecting"}</b> <span>${name}</span><i>${facts(gear)}</i></td></tr>`,
    )}</table>
    ${view.health.hall ? html`<${Members} hall=${view.health.hall} code=${view.desk_code} />` : null}
  `;
}

const FACTS = {
  serial: (value) => `序列号 serial ${value}`,
  model: (value) => `型号 model ${value}`,
  battery_percent: (value) => `电量 battery ${value}%`,
  clock_offset_s: (value) => `时钟差 clock ${value > 0 ? "+" : ""}${value} s（无需调整 needs no setting）`,
  frames: (value) => `计数 frames ${value}`,
  older: (value) => `原有不入库 older, left alone ${value}`,
  files: (value) => `格式 files ${value}`,
  free_images: (value) => `还可拍 free ${value}`,
  shutter_count: (value) => `快门 shutter ${value}`,
  waiting: (value) => `待打 waiting ${value}`,
  paper: (value) => `纸 paper ${value}`,
  card: (value) => `卡 card ${value}`,
};

function facts(gear) {
  const told = { ...(gear.serial ? { serial: gear.serial } : {}), ...gear.details };
  return Object.keys(FACTS).filter((name) => name in told).map((name) => FACTS[name](told[name])).join(" · ");
}

const KEYS = [
  ["空格 · Enter · PageDown · 踏板", "下一步：就座 → 拍摄 → 保留或重拍", "the next step: seat, shutter, accept or retake"],
  ["退格 · PageUp · 第二踏板", "重拍", "retake"],
  ["扫码枪", "签到，任何时候都可以", "check in, at any time"],
  ["F2", "手工输入，摄像头扫码，从图片读码", "type a code, scan with a webcam, or from a picture"],
  ["F3", "补打号条", "print the slip again"],
  ["F4", "放行（角色和理由）", "override, with role and reason"],
  ["F5", "准许刚被拦下的学生签到（角色和理由）", "let in whom check-in turned away, with role and reason"],
  ["F6", "学生离开；重拍次数用完时，不绑定这张照片", "walked off; with no retakes left, bind the photo to nobody"],
  ["F7", "记录人脸比对的同意或撤回", "note consent to face comparison"],
  ["Insert", "设备与实时取景", "devices and live view"],
  ["F8", "换一个号", "another number"],
  ["F9", "设置与试拍", "set-up and test shot"],
  ["F10", "封存本场", "seal the session"],
];

function keys() {
  return html`<table class="keys">${KEYS.map(([key, zh, en]) => html`<tr key=${key}><th>${key}</th><td>${zh}<i>${en}</i></td></tr>`)}</table>`;
}

export function Drift({ drift, at, choose }) {
  return html`
    <div class="veil drift">
      <div key=${drift.drift_id} class="dialog stop" role="alertdialog" aria-modal="true" aria-label="停：可能错位" tabindex="-1" onVnodeMounted=${focus} data-dialog="drift">
        <h1><b class="sign">■</b> 停：可能错位<i>Stop: photos may be shifted</i></h1>
        <div class="against">
          <div><span>应为<i>expected</i></span><b>${drift.expected}</b></div>
          <div class="unlike">≠</div>
          <div><span>实为<i>seen</i></span><b>${drift.seen}</b></div>
          ${drift.capture_id ? html`<div class="shot"><${Picture} frame=${{ capture_id: drift.capture_id, marks: null, rules: [] }} key=${drift.capture_id} /></div>` : null}
        </div>
        <p>${drift.zh}<small>${drift.en}</small></p>
        <div class="options">
          ${drift.ways.map(
            (way, i) => html`
              <button key=${way.resolution} data-way=${way.resolution} class=${i === at ? "at" : ""} tabindex="-1" onMousedown=${(event) => event.preventDefault()} onClick=${() => choose(i)}>
                <b>${i === at ? "▶" : ""}</b><span>${way.zh}<i>${way.en}</i></span>
              </button>
            `,
          )}
        </div>
        <p class="how"><kbd>↑</kbd><kbd>↓</kbd> 选择 choose　<kbd>空格</kbd> 确定 confirm</p>
      </div>
    </div>
  `;
}

// Questions to the operator. All are answered by arrow keys and space; what a scanner types goes past them.
import { Members } from "./hall.js";
import { html } from "./markup.js";
import { Picture } from "./overlay.js";
import { LET_IN_REASONS, OVERRIDE_REASONS, RELEASE_REASONS, ROLES } from "./words.js";

// A dialog is {kind, steps: [{title, options}], step, chosen, at}. One step at a time: one choice, then the next.
export function overrideDialog(frame) {
  return {
    kind: "override",
    frame,
    title: { zh: "放行这张照片", en: "Override: keep this photo" },
    steps: [
      { title: { zh: "由谁决定？", en: "Who decides?" }, options: ROLES },
      { title: { zh: "为什么？", en: "Why?" }, options: OVERRIDE_REASONS, free: true },
    ],
    answers: [],
    at: -1,
  };
}

// Whoever is turned away while the question stands is somebody else: the answer names whom it was asked of.
export function letInDialog(turnedAway) {
  return {
    kind: "letIn",
    turnedAway,
    title: { zh: "准许刚被拦下的学生在本台签到", en: "Let the student in who was turned away just now" },
    steps: [
      { title: { zh: "由谁决定？", en: "Who decides?" }, options: ROLES },
      { title: { zh: "为什么？", en: "Why?" }, options: LET_IN_REASONS, free: true },
    ],
    answers: [],
    at: -1,
  };
}

// `seeing`: whether live view is on now.
export function devicesDialog(view, seeing) {
  const can = view.health.camera.live_view;
  const turn = seeing ? { id: "live", zh: "关闭实时取景", en: "Live view off" } : { id: "live", zh: "打开实时取景", en: "Live view on" };
  return {
    kind: "devices",
    title: { zh: "设备", en: "Devices" },
    steps: [{ title: null, options: [...(can ? [turn] : []), { id: "no", zh: "返回", en: "Back" }] }],
    answers: [],
    at: 0,
  };
}

export function releaseDialog(ticket) {
  return {
    kind: "release",
    ticket,
    title: { zh: `${ticket} 离开座位`, en: `${ticket} leaves` },
    steps: [{ title: { zh: "为什么？", en: "Why?" }, options: RELEASE_REASONS, free: true }],
    answers: [],
    at: -1,
  };
}

// The student reads the text and says yes or no; no is as good an answer.
export function consentDialog(view) {
  const person = view.seated ?? view.queue[0];
  const yes = { given: true, zh: "本人同意", en: "The student consents" };
  const no = { given: false, zh: person.face_consent ? "撤回同意" : "不同意，人工核对", en: person.face_consent ? "Withdrawn" : "Declined: compare by eye" };
  return {
    kind: "consent",
    ticket: person.ticket,
    title: { zh: `${person.ticket}　人脸比对`, en: "Face comparison" },
    lines: [view.face_consent],
    steps: [{ title: { zh: "学生本人怎么说？", en: "What does the student say?" }, options: person.face_consent ? [no] : [yes, no] }],
    answers: [],
    at: -1,
  };
}

export function callDialog(queue) {
  const options = queue.map((person) => ({ ticket: person.ticket, zh: `${person.ticket}　${person.class_label ?? ""}`, en: person.order_code ?? "" }));
  return {
    kind: "call",
    title: { zh: "学生手中是哪个号？", en: "Which number does the student hold?" },
    steps: [{ title: { zh: "不是下一位时，会先请您核对", en: "If it is not the next one, you are asked to make sure" }, options }],
    answers: [],
    at: -1,
  };
}

export function sealDialog(view) {
  return {
    kind: "seal",
    title: { zh: "封存本场", en: "Seal the session" },
    lines: [
      { zh: `本场签到 ${view.session_checkins} 人，照片 ${view.session_frames} 张，待上传 ${view.health.backlog} 条。`, en: `${view.session_checkins} checked in, ${view.session_frames} frames, ${view.health.backlog} to send.` },
      { zh: "封存时核对相机、本机与服务器的张数；核对一致之前不要清空存储卡。", en: "The counts of camera, this machine and server are compared; do not wipe the card before they agree." },
    ],
    steps: [{ title: { zh: "现在封存？", en: "Seal now?" }, options: [{ id: "yes", zh: "封存", en: "Seal" }, { id: "no", zh: "返回", en: "Back" }] }],
    answers: [],
    at: -1,
  };
}

const DIFFERENCES = {
  frame_missing: { zh: "服务器没有这一张", en: "not on the server" },
  hash_differs: { zh: "服务器上的内容不同", en: "other bytes on the server" },
  not_journalled: { zh: "服务器有而本机日志没有", en: "on the server, not in the journal" },
  not_counted: { zh: "相机拍了而本机没有收到：取回这一张后再封存", en: "the camera counted it, this machine has not got it: fetch it, then seal again" },
  camera_went_back: { zh: "相机计数倒退（换过卡或相机？）", en: "the camera's count went back (another card or body?)" },
  count_differs: { zh: "张数不同", en: "the counts differ" },
  journal_altered: { zh: "本机日志被改动过", en: "this machine's journal was altered" },
};
const DIFFERENCES_SHOWN = 6;

// How a seal ended, first of all in what may be done with the card.
const SEALED = {
  sealed: { sign: "✓", tone: "good", zh: "已封存，可以清空存储卡", en: "Sealed: the card may be wiped" },
  settled: { sign: "✓", tone: "good", zh: "已封存，差异有人签认", en: "Sealed: a person answers for the differences" },
  waiting: { sign: "◌", tone: "wait", zh: "等待服务器：先不要清空存储卡", en: "Waiting for the server: do not wipe the card" },
  refused: { sign: "✗", tone: "bad", zh: "没有封存：不要清空存储卡", en: "Not sealed: do not wipe the card" },
};

function told(state, sealed) {
  if (state === "waiting") return [{ zh: "服务器尚未答复；联网后自动核对。", en: "The server has not answered yet; it is compared when the network is back." }];
  if (state === "settled") return [];
  if (state === "sealed") return [{ zh: "相机、本机、服务器三方一致，双方已签名。", en: "Camera, this machine and server agree; both sides have signed." }];
  const differences = sealed.differences ?? [];
  const lines = differences.slice(0, DIFFERENCES_SHOWN).map((one) => {
    const frame = one.frame_counter ?? one.capture_id?.slice(-8) ?? "";
    const words = DIFFERENCES[one.kind] ?? { zh: one.kind, en: one.kind };
    return { zh: `第 ${frame} 张：${words.zh}`, en: `frame ${frame}: ${words.en}` };
  });
  const count = sealed.difference_count ?? sealed.missing.length;
  const head = { zh: `${count} 处不符。处理后再按一次封存；仍不符请联系运维。`, en: `What differs: ${count}. Mend it and seal again; if it stays, call operations.` };
  return [head, ...lines];
}

export function sealedDialog(sealed) {
  const state = sealed.balanced ? "sealed" : (sealed.state in SEALED && sealed.state !== "sealed" ? sealed.state : "refused");
  const { sign, tone, zh, en } = SEALED[state];
  return {
    kind: "sealed",
    ...{ sign, tone, title: { zh, en } },
    counts: [
      { zh: "相机", en: "camera", count: sealed.camera_frames },
      { zh: "本机", en: "this machine", count: sealed.journalled_frames },
      { zh: "服务器", en: "server", count: sealed.stored_frames ?? "…", off: state === "refused" && sealed.stored_frames !== sealed.journalled_frames },
    ],
    lines: told(state, sealed),
    steps: [{ title: null, options: [{ id: "no", zh: "知道了", en: "Understood" }] }],
    answers: [],
    at: 0,
  };
}

export function helpDialog() {
  return { kind: "help", title: { zh: "按键", en: "Keys" }, steps: [{ title: null, options: [{ id: "no", zh: "返回", en: "Back" }] }], answers: [], at: 0 };
}

// `watching`: whether a webcam is on now.
export function typeDialog(watching) {
  const webcam = watching ? { id: "webcam", zh: "关闭摄像头", en: "webcam off" } : { id: "webcam", zh: "用摄像头扫码", en: "scan with a webcam" };
  return {
    kind: "type",
    title: { zh: "没有扫码枪时", en: "Without a scanner" },
    steps: [
      {
        title: { zh: "输入采集码、学号或卡号，或者：", en: "type the code or number, or:" },
        options: [webcam, { id: "picture", zh: "从图片读采集码（也可把图片粘贴或拖到页面上）", en: "read the code from a picture; pasting or dropping one works anywhere" }],
        free: true,
      },
    ],
    answers: [],
    at: -1,
  };
}

export const step = (dialog) => dialog.steps[dialog.answers.length];

export function Dialog({ dialog, view, choose, cancel, typed }) {
  const now = step(dialog);
  const quietly = (event) => event.preventDefault();
  return html`
    <div class="veil" onClick=${(event) => event.target === event.currentTarget && cancel()}>
      <div class=${dialog.tone ? `dialog tone-${dialog.tone}` : "dialog"} role="dialog" aria-modal="true" data-dialog=${dialog.kind}>
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
        ${now?.free ? free(dialog, typed) : null}
        <p class="how">${hint(dialog, now)}</p>
      </div>
    </div>
  `;
}

function free(dialog, typed) {
  const hand = (event) => {
    event.preventDefault();
    const text = event.target.elements.text.value.trim();
    if (text) typed(text);
  };
  const words = dialog.kind === "type" ? "在此输入 type here" : "其他原因（不要写姓名） another reason, no names";
  return html`<form class="free" autocomplete="off" onSubmit=${hand}><input name="text" type="text" maxlength="180" autocomplete="off" spellcheck="false" placeholder=${words} /><button type="submit">↵</button></form>`;
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
      ([zh, en, name, gear]) => html`<tr key=${en}><th>${zh}<i>${en}</i></th><td><b>${gear.trouble ? "▲ 故障" : gear.ready ? "✓ 正常" : "◌ 连接中"}</b> <span>${name}</span><i>${facts(gear)}</i></td></tr>`,
    )}</table>
    ${view.health.hall ? html`<${Members} hall=${view.health.hall} code=${view.desk_code} />` : null}
  `;
}

const FACTS = {
  serial: (value) => `序列号 serial ${value}`,
  model: (value) => `型号 model ${value}`,
  battery_percent: (value) => `电量 battery ${value}%`,
  clock_offset_s: (value) => `时钟差 clock ${value > 0 ? "+" : ""}${value} s（无需调整）`,
  frames: (value) => `计数 frames ${value}`,
  older: (value) => `原有不入库 older ${value}`,
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
  ["F6", "学生离开", "walked off"],
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
      <div class="dialog stop" role="alertdialog" aria-modal="true" data-dialog="drift">
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

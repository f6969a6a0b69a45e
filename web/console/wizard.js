// Setting a desk up: enrol with a one-time code, pick the camera, try the scanner, look at the backdrop.
import { HallStep } from "./hall.js";
import { html, nextTick, reactive } from "./markup.js";
import { Picture } from "./overlay.js";
import { CAMERAS, PRINTERS, READERS, VERDICT } from "./words.js";

const form = reactive({
  server: "", code: "", camera: "", folder: "", known: null, shot: null, moving: false,
  reader: { kind: null, place: "" }, printer: { kind: null, place: "" }, side: "devices",
});

export function Wizard({ view, doing, tried, close }) {
  return html`
    <div class="wizard" data-test="wizard">
      <header>
        <h1>采集台设置<i>Setting up this desk</i></h1>
        ${view.phase === "work" ? html`<button onClick=${close}><kbd>Esc</kbd> 开始工作<i>to work</i></button>` : null}
      </header>
      ${view.phase === "setup" ? enrol(view, doing) : tune(view, doing, tried)}
    </div>
  `;
}

const STEPS = [["登记", "enrol"], ["设备", "devices", "devices"], ["同厅", "hall", "hall"], ["试拍", "test shot", "shot"]];

// Devices and test shot stand beside each other; the hall has a page of its own.
function steps(at, ready) {
  const state = (i) => (i < at ? "past" : i === at ? "now" : "");
  const said = ([zh, en], i) => html`<b>${i < at ? "✓" : i + 1}</b><span>${zh}<i>${en}</i></span>`;
  const one = (step, i) =>
    ready && step[2]
      ? html`<li key=${step[1]} class=${`${state(i)} ${(form.side === "hall") === (step[2] === "hall") ? "open" : ""}`}><button type="button" data-step=${step[2]} onClick=${() => (form.side = step[2])}>${said(step, i)}</button></li>`
      : html`<li key=${step[1]} class=${state(i)}>${said(step, i)}</li>`;
  return html`<ol class="steps">${STEPS.map(one)}</ol>`;
}

function enrol(view, doing) {
  const cameras = view.cameras;
  const hand = async (event) => {
    event.preventDefault();
    form.moving = (await doing("setup/enrol", { server: form.server, code: form.code, ...chosen(view, null) })) !== null;
    if (form.moving) form.code = "";
  };
  return html`
    ${steps(0, false)}
    <form class="card enrol" autocomplete="off" onSubmit=${hand}>
      <div class="half">
        ${field("server", "服务器地址", "address of the capture service", "https://", true)}
        ${field("code", "一次性登记码", "one-time code, from the crew lead", "ABCDEFGHJK")}
        ${pickGear(view, null)}
      </div>
      <div class="half">${pickCamera(cameras, cameras[0])}</div>
      <button class="go" type="submit" disabled=${form.moving}>${form.moving ? html`正在登记…<i>enrolling</i>` : html`登记本机<i>Enrol this machine</i>`}<kbd>Enter</kbd></button>
    </form>
  `;
}

const focus = (node) => node.el.focus();

function field(name, zh, en, hint, first) {
  return html`<label class="field"><span>${zh}<i>${en}</i></span><input name=${name} value=${form[name]} placeholder=${hint} spellcheck="false" autocomplete="off" onVnodeMounted=${first ? focus : null} onInput=${(event) => (form[name] = event.target.value)} /></label>`;
}

const WITH_PLACE = /:(PATH|PORT)$/;

function cameraName(cameras, current) {
  const chosen = form.camera || current || cameras[0];
  return WITH_PLACE.test(chosen) ? `${chosen.slice(0, -4)}${form.folder.trim()}` : chosen;
}

// The names as the station keeps them: `serial:/dev/ttyUSB0`. `current` is null while no desk is served.
function chosen(known, current) {
  return {
    camera: cameraName(known.cameras, current?.camera),
    reader: gearName("reader", current?.reader),
    printer: gearName("printer", current?.printer),
  };
}

const place = (choice) => choice.slice(choice.indexOf(":") + 1);
const start = (choice) => (choice.includes(":") ? choice.slice(0, choice.indexOf(":") + 1) : choice);

function picked(gear, current) {
  const name = current ?? "none";
  return form[gear].kind === null ? { kind: start(name), place: name === "none" ? "" : place(name) } : form[gear];
}

function gearName(gear, current) {
  const now = picked(gear, current);
  return now.kind === "none" ? "none" : `${now.kind}${now.place.trim()}`;
}

function pickGear(known, current) {
  return html`
    <datalist id="serial-ports">${known.serial_ports.map((name) => html`<option key=${name} value=${name} />`)}</datalist>
    ${pickOne("reader", "读卡器", "card reader", known.readers, READERS, current?.reader)}
    ${pickOne("printer", "号条打印机", "slip printer", known.printers, PRINTERS, current?.printer)}
  `;
}

function pickOne(gear, zh, en, choices, words, current) {
  const now = picked(gear, current);
  const choice = choices.find((name) => start(name) === now.kind) ?? "none";
  const change = (more) => (form[gear] = { ...now, ...more });
  return html`
    <label class="field"><span>${zh}<i>${en}</i></span>
      <select name=${gear} value=${now.kind} onChange=${(event) => change({ kind: event.target.value })}>
        ${choices.map((name) => html`<option key=${name} value=${start(name)} selected=${start(name) === now.kind}>${words[name]?.zh ?? name}</option>`)}
      </select>
      <i>${words[choice]?.en ?? ""}</i>
      ${choice === "none" ? null : html`<input name=${`${gear}-place`} list=${choice.startsWith("serial:") ? "serial-ports" : null} value=${now.place} placeholder=${words[choice]?.hint ?? ""} spellcheck="false" autocomplete="off" onInput=${(event) => change({ place: event.target.value })} />`}
    </label>
  `;
}

function pickCamera(cameras, current) {
  const chosen = form.camera || cameras.find((name) => name === current || current?.startsWith(name.replace("PATH", ""))) || cameras[0];
  return html`
    <fieldset class="cameras">
      <legend>相机<i>camera</i></legend>
      ${cameras.map((name) => {
        const said = CAMERAS[name] ?? { zh: name, en: "" };
        return html`<label key=${name} class=${name === chosen ? "chosen" : ""}><input type="radio" name="camera" value=${name} checked=${name === chosen} onChange=${() => (form.camera = name)} /><b>${name === chosen ? "◉" : "○"}</b><span>${said.zh}<i>${said.en}</i></span></label>`;
      })}
      ${chosen.endsWith(":PATH") ? field("folder", "文件夹", "folder", "C:\\Capture") : null}
      ${chosen.endsWith(":PORT") ? field("folder", "端口", "port, as gphoto2 --auto-detect says", "usb:001,004") : null}
    </fieldset>
  `;
}

async function learn() {
  form.known = await fetch("/console/setup").then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
}

function tune(view, doing, tried) {
  form.moving = false;
  const known = form.known;
  if (!known) nextTick(learn);
  const change = () => doing("setup/devices", chosen(known, view.devices));
  const changed = known && JSON.stringify(chosen(known, view.devices)) !== JSON.stringify(view.devices);
  const shoot = async () => {
    form.shot = (await doing("setup/test-shots")) ?? form.shot;
  };
  const busy = view.mode === "exposing";
  return html`
    ${steps(view.studio ? 4 : 3, true)}
    ${form.side === "hall" ? html`<${HallStep} view=${view} doing=${doing} />` : null}
    <div class="columns" hidden=${form.side === "hall"}>
      <section class="card side">
        ${known ? html`${pickCamera(known.cameras, view.devices.camera)} ${pickGear(known, view.devices)}` : null}
        <button data-act="devices" onClick=${change} disabled=${!changed}>换用这些设备<i>use these devices</i></button>
        ${view.health.printer ? html`<button data-act="test-slip" onClick=${() => doing("setup/test-slips")}>试打一张号条<i>print a test slip</i></button>` : null}
        <div class="try">
          <h2>扫码枪与读卡器<i>scanner and reader</i></h2>
          ${view.health.reader ? html`<p>${view.health.reader.trouble ? `▲ ${view.health.reader.trouble.zh}` : view.health.reader.details.card === "read" ? "✓ 读到一张证件" : "请放一张证件试试"}<i>lay a card down: it is read and checked in, nothing is shown of it</i></p>` : null}
          <p>${tried ? html`✓ 收到 <b>${tried}</b> 个字符和回车<i>characters and Enter received</i>` : html`扫任意一个码试试：只数字符，不记录<i>scan anything; it is counted, not kept</i>`}</p>
        </div>
      </section>
      <section class="card shot">
        <h2>试拍：先拍空座位看背景，再请一位同事坐下<i>Test shot: the empty seat first, then a colleague</i></h2>
        <div class="result">
          <div class="frame">${busy ? html`<div class="nothing"><span class="turning">◌</span></div>` : picture()}</div>
          <div class="figures">${figures(view)}</div>
        </div>
        <button class="go" data-act="test-shot" onVnodeMounted=${focus} onClick=${shoot} disabled=${busy}>试拍<i>Take a test shot</i></button>
      </section>
    </div>
  `;
}

function picture() {
  const shot = form.shot;
  if (!shot) return html`<div class="nothing">还没有试拍<small>no test shot yet</small></div>`;
  const frame = { capture_id: shot.capture_id, marks: shot.marks, rules: shot.reasons.map((reason) => reason.rule) };
  return html`<${Picture} frame=${frame} key=${shot.capture_id} />`;
}

function figures(view) {
  const shot = form.shot;
  if (shot && !shot.empty) return sitter(shot);
  const studio = shot?.studio ?? view.studio;
  if (!studio) return html`<p class="hint">座位空着，灯光调好，按“试拍”。<small>Empty seat, lamps on, then take the shot.</small></p>`;
  return html`${zones(studio)} ${swatches(studio)} ${studio.limits.map(limit)}`;
}

function sitter(shot) {
  const word = VERDICT[shot.verdict];
  return html`
    <div class=${`verdict ${shot.verdict}`}><b class="sign">${word.sign}</b><span>${word.zh}<i>${word.en}</i></span></div>
    ${shot.reasons.map((reason) => html`<div class="limit bad" key=${reason.rule}><b>✗</b><div>${reason.zh}<small>${reason.advice_zh}</small></div></div>`)}
    ${shot.reasons.length ? null : html`<p class="hint">灯光、背景和取景都合格，可以开始。<small>Light, backdrop and framing are right: ready.</small></p>`}
  `;
}

function zones(studio) {
  const all = studio.zones.flat();
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const mark = (value) => (high - low < 1 ? "" : value === low ? "▼" : value === high ? "▲" : "");
  return html`
    <div class="zones"><div class="label">亮度分布 L*<i>lightness, ▼ darkest ▲ brightest</i></div>
      ${studio.zones.map((row, i) => html`<div class="row" key=${i}>${row.map((value, j) => html`<span key=${j} class=${value === low && high - low >= 1 ? "low" : ""}>${mark(value)} ${value.toFixed(1)}</span>`)}</div>`)}
    </div>
  `;
}

function swatches(studio) {
  const colour = ([red, green, blue]) => ({ background: `rgb(${red} ${green} ${blue})` });
  return html`
    <div class="swatches">
      <div><span style=${colour(studio.standard_rgb)}></span>规定<i>standard</i></div>
      <div><span style=${colour(studio.rgb)}></span>实测<i>measured</i></div>
      <p>${lean(studio)}</p>
    </div>
  `;
}

function lean(studio) {
  const said = [];
  if (studio.blue_yellow_offset > 3) said.push(["偏黄：白平衡调冷", "too yellow: cooler white balance"]);
  if (studio.blue_yellow_offset < -3) said.push(["偏蓝：白平衡调暖", "too blue: warmer white balance"]);
  if (studio.green_red_offset > 3) said.push(["偏红：色调往绿", "too red: tint towards green"]);
  if (studio.green_red_offset < -3) said.push(["偏绿：色调往红", "too green: tint towards red"]);
  if (studio.lightness_offset > 5) said.push(["偏亮：减背景灯", "too bright: less light on the backdrop"]);
  if (studio.lightness_offset < -5) said.push(["偏暗：加背景灯", "too dark: more light on the backdrop"]);
  if (!said.length) said.push(["颜色准确", "the colour is right"]);
  return said.map(([zh, en]) => html`<span key=${en}>${zh}<i>${en}</i></span>`);
}

function limit(one) {
  return html`<div class=${one.passed ? "limit" : "limit bad"} key=${one.rule_id}><b>${one.passed ? "✓" : "✗"}</b><div>${NAMES[one.rule_id] ?? one.rule_id} <em>${one.measured} ${one.unit}</em> <i>${one.limit}</i>${one.passed ? null : html`<small>${one.advice_zh} · ${one.advice_en}</small>`}</div></div>`;
}

const NAMES = { B1: "背景颜色 colour", B2: "背景均匀 evenness", E1: "背景亮度 lightness" };

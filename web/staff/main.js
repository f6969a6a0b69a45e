// Range rebind: photos of neighbouring numbers move by some places. Looked at first, picture beside picture, then done.
import { createApp, html, reactive } from "./markup.js";
import { ask, enter, newId } from "./doors.js";

const REASONS = [
  { id: "queue_drift", zh: "排队错位", en: "the queue had shifted" },
  { id: "slips_swapped", zh: "小票拿错", en: "slips were mixed up" },
  { id: "wrong_shift", zh: "更正上一次改绑", en: "puts an earlier shift right" },
];
// The hall's time, whatever the office's computer is set to.
const CHINA = { timeZone: "Asia/Shanghai", hour12: false };
const page = reactive({
  entered: false, busy: false, problem: null, desks: [], desk: "", first: "", last: "", places: 0, skip: "",
  preview: null, act: null, seen: false, reason: REASONS[0].id, applied: null, earlier: [],
});

async function doing(work) {
  if (page.busy) return;
  page.busy = true;
  page.problem = null;
  try {
    await work();
  } catch (problem) {
    page.problem = problem;
    if (problem.code === "range-preview-stale") page.preview = null;
  } finally {
    page.busy = false;
  }
}

const begin = (event) => {
  event.preventDefault();
  enter(event.target.elements.token.value);
  event.target.reset();
  doing(async () => {
    const found = await ask("GET", "stations");
    const desks = new Map(found.items.map((station) => [station.desk_id, station]));
    page.desks = [...desks.values()].filter((station) => station.desk_code);
    page.entered = true;
    if (page.desks.length) await choose(page.desks[0].desk_id);
  });
};

async function choose(deskId) {
  page.desk = deskId;
  page.preview = page.applied = null;
  page.earlier = (await ask("GET", `desks/${deskId}/range-rebinds`)).items;
}

function range() {
  const skip = page.skip.split(/[\s,，、]+/).filter(Boolean);
  return { first_ticket: page.first.trim(), last_ticket: page.last.trim(), places: Number(page.places) || 0, skip };
}

const preview = (event) => {
  event?.preventDefault();
  doing(async () => {
    page.seen = false;
    page.applied = null;
    const asked = range();
    page.preview = await ask("POST", `desks/${page.desk}/range-preview`, asked);
    // What is done is what was asked here, whatever is typed into the form afterwards.
    page.act = { id: newId(), asked };
  });
};

const apply = () =>
  doing(async () => {
    const body = { ...page.act.asked, desk_id: page.desk, digest: page.preview.digest, reason: page.reason };
    page.applied = await ask("PUT", `range-rebinds/${page.act.id}`, body);
    page.preview = null;
    page.earlier = (await ask("GET", `desks/${page.desk}/range-rebinds`)).items;
  });

const field = (name) => ({ value: page[name], onInput: (event) => (page[name] = event.target.value) });

function App() {
  return html`
    <main>
      <h1>范围改绑<i>Range rebind</i></h1>
      ${page.problem ? html`<div class="problem" role="alert" data-code=${page.problem.code}>■ ${page.problem.zh}<i>${page.problem.en}</i></div>` : null}
      ${page.entered ? [form(), page.applied ? done() : null, page.preview ? shown() : null, earlier()] : door()}
    </main>
  `;
}

function door() {
  return html`
    <form class="door" onSubmit=${begin} autocomplete="off">
      <label>令牌<i>token (./gradphoto token crew_lead)</i><input name="token" type="password" required autocomplete="off" /></label>
      <button disabled=${page.busy}>进入<i>Enter</i></button>
    </form>
  `;
}

function form() {
  return html`
    <form class="range" onSubmit=${preview} autocomplete="off" key="form">
      <label>采集台<i>desk</i>
        <select value=${page.desk} onChange=${(event) => doing(() => choose(event.target.value))}>
          ${page.desks.map((station) => html`<option key=${station.desk_id} value=${station.desk_id}>${station.desk_code}</option>`)}
        </select>
      </label>
      <label>首号<i>first number</i><input name="first" required placeholder="A1-0012" ...${field("first")} /></label>
      <label>末号<i>last number</i><input name="last" required placeholder="A1-0040" ...${field("last")} /></label>
      <label>移动位数<i>places</i><input name="places" type="number" min="-50" max="50" ...${field("places")} /></label>
      <label>跳过的号<i>numbers nobody used</i><input name="skip" placeholder="A1-0013" ...${field("skip")} /></label>
      <button disabled=${page.busy}>预览<i>Preview</i></button>
      <p class="meaning">${meaning()}</p>
    </form>
  `;
}

// What the number of places does, in a sentence.
function meaning() {
  const places = Number(page.places) || 0;
  if (!places) return html`0：只看，不移动<i>0: only look</i>`;
  const by = Math.abs(places);
  return places > 0
    ? html`+${by}：每张照片归到往后第 ${by} 个号<i>each photo goes to the number ${by} further on</i>`
    : html`−${by}：每张照片归到往前第 ${by} 个号<i>each photo goes to the number ${by} before</i>`;
}

function shown() {
  const told = page.preview;
  const ready = told.moves > 0 && !told.faults.length;
  return html`
    <section key="preview">
      ${told.faults.map((fault) => html`<div class="problem" key=${fault.code + fault.ticket} data-code=${fault.code}>■ ${fault.zh}<i>${fault.en}</i></div>`)}
      <p class="sum" data-test="sum">${told.moves} 张照片会移动<i>photos would move</i>
        ${told.left_without.length ? html`<span class="without">▲ ${told.left_without.join("、")} 将没有照片<i>would have no photo</i></span>` : null}</p>
      <table>
        <thead><tr><th>拍摄号<i>number</i></th><th>现在的照片<i>photo now</i></th><th></th><th>移动后<i>photo then</i></th></tr></thead>
        <tbody>${told.rows.map(row)}</tbody>
      </table>
      ${ready ? confirm() : null}
    </section>
  `;
}

function row(one) {
  return html`
    <tr key=${one.ticket} class=${one.changes ? "changes" : ""} data-ticket=${one.ticket} data-before=${one.before?.capture_id ?? ""} data-after=${one.after?.capture_id ?? ""}>
      <th>${one.ticket}</th>
      <td>${picture(one.before)}</td>
      <td class="arrow">${one.changes ? "→" : "="}</td>
      <td>${picture(one.after)}</td>
    </tr>
  `;
}

function picture(photo) {
  if (!photo) return html`<div class="none">无照片<i>none</i></div>`;
  const at = new Date(photo.shutter_at).toLocaleTimeString("zh-CN", CHINA);
  return html`<figure>${photo.url ? html`<img src=${photo.url} alt="" loading="lazy" />` : html`<div class="none">…</div>`}<figcaption>${photo.taken_by_ticket ?? "—"}<small>${at}</small></figcaption></figure>`;
}

function confirm() {
  return html`
    <div class="confirm">
      <label class="seen"><input type="checkbox" name="seen" checked=${page.seen} onChange=${(event) => (page.seen = event.target.checked)} />我已逐张看过照片，移动后每张都是本人<i>I have looked at each picture: each will be its holder's</i></label>
      <label>原因<i>reason</i><select name="reason" value=${page.reason} onChange=${(event) => (page.reason = event.target.value)}>${REASONS.map((reason) => html`<option key=${reason.id} value=${reason.id}>${reason.zh} · ${reason.en}</option>`)}</select></label>
      <button class="apply" disabled=${page.busy || !page.seen} onClick=${apply}>移动 ${page.preview.moves} 张<i>Move them</i></button>
    </div>
  `;
}

function done() {
  return html`<div class="done" role="status" key="done" data-test="done">✓ 已移动 ${page.applied.moves.length} 张照片；每张的历史里都有记录<i>${page.applied.moves.length} photos moved; it stands in the history of each</i></div>`;
}

const said = (id) => REASONS.find((reason) => reason.id === id)?.zh ?? id;

function earlier() {
  if (!page.earlier.length) return null;
  return html`
    <section class="earlier" key="earlier">
      <h2>本台以前的改绑<i>Earlier shifts at this desk</i></h2>
      <ul>${page.earlier.map((act) => html`<li key=${act.rebind_id}>${act.first_ticket} – ${act.last_ticket}　${act.places > 0 ? "+" : ""}${act.places}　${act.moves.length} 张　${said(act.reason)}　<small>${act.author} · ${new Date(act.applied_at).toLocaleString("zh-CN", CHINA)}</small></li>`)}</ul>
    </section>
  `;
}

createApp({ render: App }).mount("#staff");

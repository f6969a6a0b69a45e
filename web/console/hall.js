// The hall: how this desk reaches the others, in the wizard; and who is hub, who is away, wherever it is told.
import { html, reactive } from "./markup.js";
import { HALL } from "./words.js";

const form = reactive({ known: null, share: false, host: "", port: "", address: "", peers: "", wrong: "", more: false });

const AGAIN_MS = 700; // the station may just be starting anew

async function learn() {
  const known = await fetch("/console/setup/hall").then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
  if (!known) return setTimeout(learn, AGAIN_MS);
  const now = known.hall;
  const listen = now?.listen ?? `${known.addresses[0] ?? ""}:${known.port}`;
  const at = listen.lastIndexOf(":");
  Object.assign(form, {
    known, share: now !== null, host: listen.slice(0, at), port: listen.slice(at + 1),
    address: now?.address ?? "", peers: (now?.peers ?? []).join("  "), wrong: "",
    more: Boolean(now?.address || now?.peers.length),
  });
}

const asked = () => ({ share: form.share, listen: `${form.host.trim()}:${form.port.trim()}`, address: form.address, peers: form.peers });

export const HallStep = {
  props: ["view", "doing"],
  setup(props) {
    form.known = null;
    learn();
    const hand = async (event) => {
      event.preventDefault();
      form.wrong = "";
      const done = await props.doing("setup/hall", asked(), (problem) => (form.wrong = problem.params?.field ?? ""));
      if (done) learn();
    };
    return () => html`
      <div class="hall-step" data-test="hall-step">
      <form class="card" autocomplete="off" onSubmit=${hand}>
        <fieldset class="cameras">
          <legend>同厅共用队列<i>one queue with the hall's other desks</i></legend>
          ${choice(false, "单独工作", "this desk stands by itself")}
          ${choice(true, "与同厅采集台共用队列，断网也行", "share queue and check-ins over the LAN")}
        </fieldset>
        ${form.share ? sharing() : null}
        <button class="go save" type="submit" disabled=${!form.known}>保存<i>save; the station starts anew</i></button>
      </form>
      <section class="card">
        ${props.view.health.hall ? html`<${Members} hall=${props.view.health.hall} code=${props.view.desk_code} />` : html`<p class="hint">本台现在单独工作<small>This desk stands by itself now</small></p>`}
        <p class="note">本厅有哪些台由服务器签发；一台作主机，主机没了，别台几秒内接替<i>Which desks belong to the hall is signed by the server. One is hub; if it goes, another takes over within seconds.</i></p>
      </section>
      </div>
    `;
  },
};

function choice(share, zh, en) {
  return html`<label class=${form.share === share ? "chosen" : ""}><input type="radio" name="share" value=${String(share)} checked=${form.share === share} onChange=${() => (form.share = share)} /><b>${form.share === share ? "◉" : "○"}</b><span>${zh}<i>${en}</i></span></label>`;
}

function sharing() {
  const loopback = /^(127\.|localhost|\[?::1)/.test(form.host.trim());
  return html`
    <datalist id="own-addresses">${form.known?.addresses.map((one) => html`<option key=${one} value=${one} />`)}</datalist>
    <div class="listen">
      ${field("host", "listen", "本机在局域网的地址", "this machine's address", "192.168.1.11", "own-addresses")}
      ${field("port", "listen", "端口", "port", "8471")}
    </div>
    ${loopback ? html`<p class="warning">▲ 别的电脑连不到这个地址：填局域网地址<i>no other machine reaches this address</i></p>` : null}
    <details open=${form.more || ["peers", "address"].includes(form.wrong)} onToggle=${(event) => (form.more = event.target.open)}>
      <summary>没有连过服务器，或地址有转换时<i>never met the server, or addresses are translated</i></summary>
      ${field("peers", "peers", "别台地址", "other desks", "192.168.1.12:8471  192.168.1.13:8471")}
      ${field("address", "address", "告诉别台的地址", "what the others are told", "192.168.1.11:8471")}
    </details>
  `;
}

function field(name, told, zh, en, hint, list) {
  const wrong = form.wrong === told;
  return html`<label class=${wrong ? "field wrong" : "field"}><span>${zh}<i>${en}</i></span><input name=${`hall-${name}`} aria-invalid=${wrong} list=${list ?? null} value=${form[name]} placeholder=${hint} spellcheck="false" autocomplete="off" onInput=${(event) => (form[name] = event.target.value)} /></label>`;
}

// Every desk of the hall with what it is: hub, heard, or away.
export function Members({ hall, code }) {
  const desks = [
    { code, here: true, hub: hall.part === "hub", heard: true },
    ...hall.heard.map((one) => ({ code: one, hub: one === hall.hub, heard: true })),
    ...hall.silent.map((one) => ({ code: one, hub: one === hall.hub, heard: false })),
  ].sort((one, other) => one.code.localeCompare(other.code));
  return html`
    <div class="members" data-test="members">
      <h2>本厅采集台 <i>desks of this hall</i></h2>
      ${hall.part === "off" ? html`<p>名单里只有本台，联网后更新<i>the list names this desk alone; it is renewed when online</i></p>` : null}
      <ul>
        ${desks.map((one) => html`<li key=${one.code} class=${one.heard ? "" : "away"}><b>${one.code}</b><span>${said(one, hall)}</span></li>`)}
      </ul>
    </div>
  `;
}

function said(one, hall) {
  const words = [];
  if (one.here) words.push("本台 here");
  if (one.hub) words.push("主机 hub");
  if (!one.heard && one.hub && hall.via) words.push(`▲ 经 ${hall.via} 联系 through ${hall.via}`);
  else if (!one.heard) words.push("▲ 没有应答 away");
  else if (!one.here && !one.hub) words.push("✓ 在线 heard");
  if (one.here && !one.hub && hall.part !== "off") words.push(`${HALL[hall.part].zh === "随" ? "✓ 在线 heard" : `▲ ${HALL[hall.part].zh} ${HALL[hall.part].en}`}`);
  return words.join(" · ");
}

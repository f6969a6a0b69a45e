// The service's doors. The token is kept in this module's memory alone: a reload forgets it.
let token = "";

export function enter(given) {
  token = given.trim();
}

// Throws the service's problem ({code, zh, en}) when it says no.
export async function ask(method, path, body) {
  const sent = { method, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } };
  if (body) sent.body = JSON.stringify(body);
  const answer = await fetch(`../v1/${path}`, sent).catch(() => null);
  if (answer === null) throw { code: "gone", zh: "服务没有响应", en: "The service does not answer" };
  const content = await answer.json();
  if (!answer.ok) throw content;
  return content;
}

// One preview, one act: pressed twice it is the same one.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

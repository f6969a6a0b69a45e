// What the operator is asked. All of it is answered by arrow keys and space; what a scanner types goes past it.
import { LET_IN_REASONS, OVERRIDE_REASONS, RELEASE_REASONS, ROLES } from "./words.js";

// A dialog is {kind, steps: [{title, options, typed}], answers, at}. One step at a time: one choice, then the next.
// `typed`: what may be typed instead, a "reason" (looked at once more before it counts), a "number" or a "code".
export function overrideDialog(frame) {
  return {
    kind: "override",
    frame,
    title: { zh: "放行这张照片", en: "Override: keep this photo" },
    steps: [
      { title: { zh: "由谁决定？", en: "Who decides?" }, options: ROLES },
      { title: { zh: "为什么？", en: "Why?" }, options: OVERRIDE_REASONS, typed: "reason" },
    ],
    answers: [],
    at: -1,
  };
}

// At the limit a photo that is given up is the last one.
export function giveUpDialog(frame) {
  return {
    kind: "giveUp",
    frame,
    title: { zh: "不绑定这张照片", en: "Bind this photo to nobody" },
    lines: [{ zh: `${frame.ticket} 已没有重拍次数：不留照片，学生离开，另行安排补拍。`, en: "No retakes are left: the student leaves without a photo, and comes for a make-up." }],
    steps: [{ title: null, options: [{ id: "yes", zh: "不绑定", en: "Bind to nobody" }, { id: "no", zh: "返回", en: "Back" }] }],
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
      { title: { zh: "为什么？", en: "Why?" }, options: LET_IN_REASONS, typed: "reason" },
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
    steps: [{ title: { zh: "为什么？", en: "Why?" }, options: RELEASE_REASONS, typed: "reason" }],
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

// The first in the queue are offered; any other number is typed, or its slip scanned.
export function callDialog(view) {
  const more = view.queue_length - view.queue.length;
  const options = view.queue.map((person) => ({ ticket: person.ticket, zh: `${person.ticket}　${person.class_label ?? ""}`, en: person.order_code ?? "" }));
  return {
    kind: "call",
    title: { zh: "学生手中是哪个号？", en: "Which number does the student hold?" },
    lines: more > 0 ? [{ zh: `后面还有 ${more} 位：扫描小票，或输入其号码。`, en: `${more} more wait: scan the slip, or type the number.` }] : [],
    steps: [{ title: { zh: "不是下一位时，会先请您核对", en: "If it is not the next one, you are asked to make sure" }, options, typed: "number" }],
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

// The desk deletes nothing that another program wrote.
function left(state, view) {
  const agreed = state === "sealed" || state === "settled";
  if (!agreed || !view.devices.camera.startsWith("hotfolder:")) return [];
  return [{ zh: "联机文件夹的 taken 中还有未加密的原片：请摄影人员现在自行删除或移走。", en: "Pictures lie unencrypted in the folder's taken/: the crew deletes or moves them now." }];
}

export function sealedDialog(sealed, view) {
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
    lines: [...told(state, sealed), ...left(state, view)],
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
        typed: "code",
      },
    ],
    answers: [],
    at: -1,
  };
}

export const step = (dialog) => dialog.steps[dialog.answers.length];

// What was typed is asked about, as an answer that has to be chosen.
export function propose(dialog, text) {
  const asked = step(dialog);
  const options = [{ zh: text, en: "this is the reason" }, { zh: "重写或另选", en: "write or choose again", again: true }];
  dialog.steps[dialog.answers.length] = { title: { zh: "以此为理由，记录在案？", en: "Is this the reason? It goes on record" }, options, was: asked };
  dialog.at = -1;
}

export function again(dialog) {
  dialog.steps[dialog.answers.length] = step(dialog).was;
  dialog.at = -1;
}

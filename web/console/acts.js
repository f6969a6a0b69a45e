// What the operator can do now. One key, or one pedal, does the next thing of the loop: seat, shutter, accept or retake.

export const ARM_MS = 450; // a pedal that bounces does nothing
const LOOK_MS = 1200; // a photo for a person to look at is not accepted by a foot that was faster than the eye

export function retakesLeft(view) {
  if (!view.seated || view.retake_limit === null) return 0;
  return Math.max(0, view.retake_limit - view.seated.retakes);
}

// Every photo that the campaign grants was given up.
export function usedUp(view) {
  return Boolean(view.seated) && view.retake_limit !== null && view.seated.retakes > view.retake_limit;
}

export function mainAct(view) {
  const frame = view.frame;
  if (view.drift) return { id: "drift", zh: "选择处理方式", en: "Choose what is right", ready: false };
  if (view.mode === "exposing") return { id: "wait", zh: "正在拍摄…", en: "Taking the picture…", ready: false };
  if (frame && !frame.ticket) return { id: "unbound", zh: "不绑定任何人", en: "Bind to nobody", tone: "warn", ready: true };
  if (frame?.damaged) return { id: "unbound", zh: "照片损坏：不绑定", en: "Damaged: bind to nobody", tone: "stop", ready: true };
  if (frame && !frame.verdict) return { id: "wait", zh: "正在检查…", en: "Looking at it…", ready: false };
  if (frame) return deciding(view, frame);
  if (usedUp(view)) return { id: "release", zh: "没有照片，次数用完：学生离开", en: "No photo, no retakes left: the student leaves", tone: "reject", ready: true };
  if (view.unshown) return { id: "wait", zh: `请扫描 ${view.seated.ticket} 的小票`, en: `Scan the slip ${view.seated.ticket}`, ready: false };
  if (view.seated) return { id: "shutter", zh: "拍摄", en: "Shutter", ready: true };
  if (view.queue_length) return { id: "seat", zh: `请 ${view.queue[0].ticket} 就座`, en: `Seat ${view.queue[0].ticket}`, ready: true };
  return { id: "wait", zh: "等待签到", en: "Waiting for a check-in", ready: false };
}

function deciding(view, frame) {
  if (frame.verdict === "accept") return { id: "keep", zh: "保留", en: "Accept", tone: "accept", ready: true };
  if (frame.verdict === "review") {
    return { id: "keep", zh: "看过，保留", en: "Seen, accept", tone: "review", ready: true, arm: LOOK_MS };
  }
  if (retakesLeft(view)) return { id: "retake", zh: "重拍", en: "Retake", tone: "reject", ready: true };
  return { id: "override", zh: "次数用完：请负责人决定（F4）", en: "No retakes left: crew lead decides (F4)", tone: "reject", ready: true };
}

export function otherActs(view) {
  const owns = view.frame && view.frame.ticket && view.frame.verdict && !view.drift;
  const main = mainAct(view).id;
  const acts = [];
  if (owns && main !== "retake") {
    acts.push({ id: "retake", key: "退格 ⌫", zh: "重拍", en: "Retake", ready: retakesLeft(view) > 0 });
  }
  if (owns && view.frame.verdict !== "accept" && main !== "override") {
    acts.push({ id: "override", key: "F4", zh: "放行", en: "Override", ready: true });
  }
  if (owns && !retakesLeft(view)) acts.push({ id: "giveUp", key: "F6", zh: "不绑定", en: "Bind to nobody", ready: true });
  if (view.seated && !view.frame && !view.drift && main !== "release") {
    acts.push({ id: "release", key: "F6", zh: "学生离开", en: "Walked off", ready: view.mode !== "exposing" });
  }
  const person = view.seated ?? view.queue[0];
  if (view.face_consent && person && !view.frame && !view.drift) {
    const words = person.face_consent ? { zh: "撤回比对同意", en: "Withdraw consent" } : { zh: "人脸比对同意", en: "Face consent" };
    acts.push({ id: "consent", key: "F7", ...words, ready: view.mode !== "exposing" });
  }
  if (!view.seated && !view.drift && view.queue_length) {
    acts.push({ id: "call", key: "F8", zh: "换号", en: "Another number", ready: true });
  }
  if (view.turned_away && !view.drift) acts.push({ id: "letIn", key: "F5", zh: "准许签到", en: "Let in", ready: true });
  if (view.health.printer && view.last_ticket && !view.frame && !view.drift) {
    acts.push({ id: "slip", key: "F3", zh: "补打号条", en: "Slip again", ready: true });
  }
  if (view.mode === "idle") acts.push({ id: "seal", key: "F10", zh: "封存本场", en: "Seal session", ready: true });
  return acts;
}

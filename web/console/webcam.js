// A webcam as a scanner. Frames go to the station one at a time, are looked at there, and are kept nowhere.
const PAUSE_MS = 150; // between an answer and the next frame
const BUSY_MS = 400; // while the station has better things to do
const GONE_MS = 1500; // while it does not answer
const SIDE_PX = 960; // a code held up to the lens is large
const SAID_MS = 1500; // how long "read" stands there before the next state takes its place

// What a browser says, as we say it. `NotAllowedError` is also what a policy of the school's computers gives.
const TROUBLES = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "missing", OverconstrainedError: "missing" };

export const WEBCAM = {
  opening: { sign: "◌", zh: "正在打开摄像头…", en: "Opening the webcam…" },
  nothing: { sign: "○", zh: "没有看到码", en: "No code in sight", more_zh: "把码对准镜头，离 15–30 厘米", more_en: "hold it to the lens, 15–30 cm away" },
  unread: { sign: "◐", zh: "看到码，读不清", en: "A code, not readable", more_zh: "调亮屏幕，拿稳，再近一点", more_en: "brighter, still, closer" },
  code: { sign: "●", zh: "读到了", en: "Code read" },
  same: { sign: "●", zh: "已读过，请移开", en: "Read already: take it away" },
  several: { sign: "▲", zh: "看到几个码，只留一个", en: "Several codes: show one alone" },
  busy: { sign: "‖", zh: "正在拍摄，稍候再扫", en: "Busy with a photo: wait" },
  problem: { sign: "▲", zh: "没有接受，见提示", en: "Not taken: see the message" },
  gone: { sign: "▲", zh: "台站没有应答", en: "The station does not answer" },
  refused: { sign: "▲", zh: "浏览器不许用摄像头", en: "The browser does not allow the webcam", more_zh: "点地址栏左端的图标，把“摄像头”改为允许，再打开", more_en: "allow the camera at the left of the address bar, then open it again" },
  missing: { sign: "▲", zh: "没有找到摄像头", en: "No webcam found", more_zh: "插好摄像头，再打开", more_en: "plug it in, then open it again" },
  taken: { sign: "▲", zh: "摄像头打不开", en: "The webcam does not open", more_zh: "可能被别的程序占用：关闭它，再打开", more_en: "another program may hold it: close that, then open it again" },
  lost: { sign: "▲", zh: "摄像头断开了", en: "The webcam is gone", more_zh: "插好后再打开", more_en: "plug it in, then open it again" },
};

export const STOPPED = ["refused", "missing", "taken", "lost"];

// `send(blob)`: hand a frame in; answers {seen, checked_in}, or throws. `told(state)`: what is to be shown.
// `busy()`: whether to wait. `read(answer)`: a check-in came of a frame.
export class Webcam {
  constructor({ send, told, read, busy = () => false }) {
    Object.assign(this, { send, told, read, busy });
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    this.canvas = document.createElement("canvas");
    this.stream = null;
    this.life = 0; // what an earlier opening still has under way is not meant any more
    this.saidUntil = 0;
  }

  async open(device = null) {
    this.close();
    const life = (this.life += 1);
    this.told("opening");
    try {
      const wanted = device ? { deviceId: { exact: device } } : { facingMode: "environment" };
      const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...wanted, width: { ideal: 1280 }, height: { ideal: 720 } } });
      if (life !== this.life) return stop(stream);
      this.stream = stream;
      this.device = stream.getVideoTracks()[0].getSettings().deviceId;
      stream.getVideoTracks()[0].onended = () => this.fail("lost");
      this.video.srcObject = stream;
      await this.video.play();
      this.devices = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "videoinput").map((one) => one.deviceId);
    } catch (problem) {
      if (life === this.life) this.fail(TROUBLES[problem.name] ?? "taken");
      return;
    }
    this.say("nothing");
    this.next(life, 0);
  }

  close() {
    this.life += 1;
    clearTimeout(this.timer);
    if (this.stream) stop(this.stream);
    this.stream = null;
    this.video.srcObject = null;
    this.canvas.width = this.canvas.height = 0;
  }

  // The next one of several webcams.
  other() {
    const at = this.devices.indexOf(this.device);
    return this.open(this.devices[(at + 1) % this.devices.length]);
  }

  fail(state) {
    this.close();
    this.told(state);
  }

  next(life, pause) {
    this.timer = setTimeout(() => life === this.life && this.look(life), pause);
  }

  async look(life) {
    if (this.busy()) {
      this.told("busy");
      return this.next(life, BUSY_MS);
    }
    let pause = PAUSE_MS;
    try {
      const answer = await this.send(await this.frame());
      if (life !== this.life) return;
      this.say(answer.seen);
      if (answer.checked_in) this.read(answer.checked_in);
    } catch (problem) {
      if (life !== this.life) return;
      const gone = !problem?.code || problem.code === "gone";
      this.told(gone ? "gone" : "problem");
      if (!gone) this.read(problem);
      pause = GONE_MS;
    }
    this.next(life, pause);
  }

  // A code that was read is said for a while; other states follow each other at once.
  say(state) {
    const now = performance.now();
    if (state === "code") this.saidUntil = now + SAID_MS;
    if (state === "code" || state === "several" || now > this.saidUntil) this.told(state);
  }

  frame() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const share = Math.min(1, SIDE_PX / Math.max(width, height));
    this.canvas.width = Math.max(1, Math.round(width * share));
    this.canvas.height = Math.max(1, Math.round(height * share));
    this.canvas.getContext("2d").drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    return new Promise((done) => this.canvas.toBlob(done, "image/jpeg", 0.85));
  }
}

function stop(stream) {
  for (const track of stream.getTracks()) {
    track.onended = null;
    track.stop();
  }
}

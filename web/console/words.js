// What the page itself says, 简体中文 and English. What the station says comes with its words (kit/messages.toml).

export const VERDICT = {
  accept: { sign: "✓", zh: "合格", en: "Accepted" },
  review: { sign: "!", zh: "请人工看", en: "Look at it" },
  reject: { sign: "✗", zh: "不合格", en: "Refused" },
};

export const DECISION = {
  keep: { sign: "✓", zh: "已保留", en: "kept" },
  override: { sign: "✓!", zh: "放行", en: "overridden" },
  retake: { sign: "↻", zh: "重拍", en: "retaken" },
  unbound: { sign: "∅", zh: "不绑定", en: "unbound" },
};

// What a desk is to the others of its hall.
export const HALL = {
  hub: { zh: "主机", en: "hub of the hall" },
  member: { zh: "随", en: "one queue" },
  waiting: { zh: "换主机", en: "changing hub" },
  alone: { zh: "断开", en: "cut off, alone" },
};

export const ROLES = [
  { role: "crew_lead", zh: "现场负责人", en: "crew lead" },
  { role: "registrar", zh: "学校教务／招就处老师", en: "registrar" },
  { role: "college_teacher", zh: "学院老师", en: "college's teacher" },
];

// The reasons go to the server: printable words, nothing about the person beyond what the photo shows.
export const OVERRIDE_REASONS = [
  { zh: "软件误判，照片符合规范", en: "the check is mistaken" },
  { zh: "身体原因，无法做到", en: "medical reason" },
  { zh: "民族或宗教服饰，学校已同意", en: "dress agreed by the school" },
  { zh: "已达重拍上限，取最好的一张", en: "best of the retakes" },
];

export const RELEASE_REASONS = [
  { zh: "学生离开", en: "walked off" },
  { zh: "着装不符，更换后再来", en: "changes clothes, comes back" },
  { zh: "叫号未到", en: "called, did not come" },
  { zh: "拿错号", en: "holds another's number" },
];

export const LET_IN_REASONS = [
  { zh: "班级临时调整到本台", en: "the class was moved to this desk" },
  { zh: "错过原定时间，统筹安排补拍", en: "missed the planned time, made up here" },
  { zh: "当天有课或实习，提前拍摄", en: "cannot come on the planned day" },
];

export const READERS = {
  none: { zh: "没有读卡器（扫码枪不用选）", en: "no card reader; scanners need no choosing" },
  "serial:PORT": { zh: "身份证读卡器（串口）", en: "identity card reader on a serial port", hint: "COM3 · /dev/ttyUSB0" },
};

export const PRINTERS = {
  none: { zh: "不打印号条", en: "no slips" },
  "tcp:HOST[:PORT]": { zh: "网络小票打印机", en: "receipt printer in the network", hint: "192.168.1.50 · 192.168.1.50:9100" },
  "serial:PORT[@BAUD]": { zh: "串口小票打印机", en: "receipt printer on a serial port", hint: "COM4 · /dev/ttyUSB1@9600" },
  "device:PATH": { zh: "USB 小票打印机", en: "receipt printer as a USB device", hint: "/dev/usb/lp0" },
  "queue:NAME": { zh: "系统打印队列", en: "the system's print queue", hint: "POS-58" },
};

export const CAMERAS = {
  virtual: { zh: "虚拟相机（演练，画出的人像）", en: "virtual camera: drawn portraits, for rehearsals" },
  "virtual-24mp": { zh: "虚拟相机，2400 万像素", en: "virtual camera, 24 MP" },
  simulated: { zh: "模拟联机相机（演练）", en: "simulated tethered camera" },
  gphoto2: { zh: "USB 联机相机（佳能、尼康、索尼等）", en: "tethered by USB, through libgphoto2" },
  "gphoto2:PORT": { zh: "USB 联机相机，指定端口", en: "the same, one of two cameras" },
  "hotfolder:PATH": { zh: "联机拍摄软件的保存文件夹", en: "the folder that EOS Utility, Capture One or Imaging Edge saves to" },
};

export const LINK = {
  gone: {
    zh: "台站程序没有响应，正在重新连接",
    en: "The station does not answer; connecting again",
    more_zh: "已拍的照片都在本机。若一直不恢复，请重新启动台站。",
    more_en: "Every frame taken is safe on this machine. If it stays so, start the station again.",
  },
  refused: {
    zh: "请在本机运行 gradphoto station console，取得进入链接",
    en: "Run gradphoto station console on this machine for a link to enter",
  },
  connecting: { zh: "正在连接台站…", en: "Connecting to the station…" },
};

export function bytes(count) {
  return count >= 1e12 ? `${(count / 1e12).toFixed(1)} TB` : `${(count / 1e9).toFixed(count < 1e10 ? 1 : 0)} GB`;
}

export function age(seconds) {
  if (seconds === null) return { zh: "无", en: "none" };
  if (seconds < 120) return { zh: "刚刚", en: "fresh" };
  if (seconds < 7200) return { zh: `${Math.round(seconds / 60)} 分钟前`, en: `${Math.round(seconds / 60)} min` };
  return { zh: `${Math.round(seconds / 3600)} 小时前`, en: `${Math.round(seconds / 3600)} h` };
}

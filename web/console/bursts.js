// A scanner types as a person does, only faster. So it is told in a text field, where what is printable is somebody's
// words: a word at its speed with Enter behind it is a scan, and leaves nothing in the field.

const GAP_MS = 50; // between two keys: a scanner's is 1 to 30 ms; no person writes a whole word and Enter in less
const LEAST = 4; // no code and no number of a slip is shorter

let burst = null; // {field, before: what stood in the field, text, count, readable, at}

// Takes in a key that went into a field. At the end of a scan it takes the scan out again: {text}, with null for one
// that an input method has swallowed. Otherwise nothing.
export function scannedInto(event) {
  const field = event.target;
  const fast = burst?.field === field && event.timeStamp - burst.at <= GAP_MS && !event.repeat;
  if (event.key === "Shift") return fast ? tick(event) : null;
  if (event.key === "Enter" || event.code === "Enter") return end(fast);
  const character = event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey;
  const swallowed = event.isComposing || event.key === "Process" || event.key === "Unidentified";
  if (!character && !swallowed) return (burst = null);
  if (!fast) burst = { field, before: field.value, text: "", count: 0, readable: true };
  burst.text += event.key;
  burst.count += 1;
  burst.readable &&= !swallowed;
  return tick(event);
}

function tick(event) {
  burst.at = event.timeStamp;
  return null;
}

function end(fast) {
  const word = burst;
  burst = null;
  if (!fast || word.count < LEAST) return null;
  if (!word.readable) word.field.blur(); // what is half composed is finished, so that it can be taken out
  word.field.value = word.before;
  return { text: word.readable ? word.text : null };
}

// htm reads the template, Vue's `h` makes the nodes, as in the desk console: nothing is compiled from strings to code.
import { h } from "../vendor/vue-3.5.45.runtime.esm-browser.prod.js";
import htm from "../vendor/htm-3.1.1.module.js";

function node(type, props, ...children) {
  this[0] = 3; // htm would hand out one node for all renderings; Vue wants each node once
  return typeof type === "string" ? h(type, props, children) : h(type, props, { default: () => children });
}

export const html = htm.bind(node);
export * from "../vendor/vue-3.5.45.runtime.esm-browser.prod.js";

// Markup in plain modules: htm reads the template, Vue's `h` makes the nodes. Nothing is compiled from strings to code,
// so the page runs under a content security policy without `unsafe-eval`.
import { h } from "/web/vendor/vue-3.5.45.runtime.esm-browser.prod.js";
import htm from "/web/vendor/htm-3.1.1.module.js";

function node(type, props, ...children) {
  this[0] = 3; // htm would hand out one node for all renderings; Vue wants each node once
  if (typeof type !== "string") return h(type, props, { default: () => children });
  return h(type, props, children);
}

export const html = htm.bind(node);
export * from "/web/vendor/vue-3.5.45.runtime.esm-browser.prod.js";

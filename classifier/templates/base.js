// Shared by pages that list lines. Page text only ever becomes text nodes.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const KEYS = "1234567890ab"; // shortcut keys of the labels, in order
const DOUBTFUL = 0.6;
const UNSEEN = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu; // invisible characters, and those that change how others are displayed

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null));
  return element;
}

function visible(text) {
  const parts = [];
  let last = 0;
  for (const found of text.matchAll(UNSEEN)) {
    const code = found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    parts.push(text.slice(last, found.index), make("span", "unseen", "U+" + code));
    last = found.index + found[0].length;
  }
  return [...parts, text.slice(last)];
}

function presentation(item) {
  item.setAttribute("role", "presentation");
  return item;
}

const hue = (element, code) => element.style.setProperty("--hue", `var(--${data.labels[code][0]})`);
const nameOf = (code) => data.labels[code][0];
const percent = (p) => (p < 0.995 || p === 1 ? Math.round(100 * p) : 99) + "%";

const dark = matchMedia("(prefers-color-scheme: dark)");

function flipTheme() {
  const root = document.documentElement;
  const isDark = root.style.colorScheme ? root.style.colorScheme === "dark" : dark.matches;
  root.style.colorScheme = isDark ? "light" : "dark";
}

"use strict";

// Before textual.js begins, which it does when the page has loaded: where its view is.
const terminal = document.getElementById("terminal");
const view = new URL("view", location.href);
view.protocol = view.protocol.replace("http", "ws");
terminal.dataset.sessionWebsocketUrl = view.href;

// On a phone letters are smaller, so that a line holds what the lists and the workers need.
const columns = 72, letterWidth = 0.6, smallest = 9, largest = 15;
const fitting = Math.floor(innerWidth / (columns * letterWidth));
terminal.dataset.fontSize = Math.min(largest, Math.max(smallest, fitting));

// The keys go to the terminal as soon as it is connected, and whenever somebody comes back to the tab.
function listen() {
  if (document.body.classList.contains("-loaded")) {
    document.querySelector(".xterm-helper-textarea")?.focus();
  }
}
new MutationObserver(listen).observe(document.body, { attributeFilter: ["class"] });
addEventListener("focus", listen);

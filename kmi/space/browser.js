// What goes on in the visitor's browser alone. SAID stands before it: from words.toml, by language, the page's title and what a waiting visitor reads.

const words = () => SAID[document.documentElement.lang] ?? SAID.ko;

// Enter that ends a syllable under composition is no Enter: caught before the text box sees it.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) event.stopImmediatePropagation();
}, true);

new MutationObserver(() => { document.title = words().title; }).observe(document.documentElement, { attributeFilter: ["lang"] });
document.documentElement.lang = "ko";

// Gradio tells the place in the queue in English only, whatever the page speaks.
function inWords(text) {
  const place = /^queue: (\d+)\/(\d+) \|/.exec(text);
  if (place) return `${words().queue.replace("{place}", place[1]).replace("{size}", place[2])} · `;
  return /^processing \|/.test(text) ? `${words().working} · ` : null;
}

new MutationObserver(() => {
  for (const progress of document.querySelectorAll(".progress-text"))
    for (const part of progress.childNodes) {
      const told = part.nodeType === Node.TEXT_NODE ? inWords(part.nodeValue.trim()) : null;
      if (told) part.nodeValue = told;
    }
}).observe(document.documentElement, { childList: true, characterData: true, subtree: true });

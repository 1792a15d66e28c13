// The chat panel. Lines are text content in an isolated direction, and bounded in number.

/** Most lines that are kept on the page. */
const LINES_MAX = 500;

/** Most characters of a line that are shown; what peers may send is bounded by the channel. */
const SHOWN_MAX = 8_000;

/** `send(text)` sends a line to everybody and gives back how many could not be reached. */
export class Chat {
  #panel = document.querySelector("#chat");
  #log = document.querySelector("#chat-log");
  #text = document.querySelector("#chat-text");
  #toggle = document.querySelector("#chat-toggle");
  #badge = document.querySelector("#chat-unread");
  #unread = 0;
  #send;

  constructor(send) {
    this.#send = send;
    this.#toggle.addEventListener("click", () => this.show(this.#panel.hidden));
    document.querySelector("#chat-close").addEventListener("click", () => this.show(false));
    document.querySelector("#chat-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.#submit();
      }
    });
    this.#panel.addEventListener("keydown", (event) => event.key === "Escape" && this.show(false));
  }

  show(open) {
    this.#panel.hidden = !open;
    document.body.toggleAttribute("data-chat", open);
    this.#toggle.setAttribute("aria-expanded", String(open));
    if (open) {
      this.#setUnread(0);
      this.#log.scrollTop = this.#log.scrollHeight;
      this.#text.focus();
    } else {
      this.#toggle.focus();
    }
  }

  clear() {
    this.#log.replaceChildren();
    this.#setUnread(0);
    this.#panel.hidden = true;
    document.body.removeAttribute("data-chat");
    this.#toggle.setAttribute("aria-expanded", "false");
  }

  /** A line of somebody else's. */
  receive(peerId, name, text) {
    this.#add("theirs", name, text).dataset.peerId = peerId;
    if (this.#panel.hidden) this.#setUnread(this.#unread + 1);
  }

  /** What happened in the room, between the lines. */
  note(text) {
    const line = document.createElement("p");
    line.className = "note";
    line.append(isolated("bdi", text));
    this.#append(line);
  }

  #submit() {
    const text = this.#text.value.trim();
    if (!text) return;
    this.#text.value = "";
    const missed = this.#send(text);
    const line = this.#add("ours", "You", text);
    if (missed) {
      const note = document.createElement("p");
      note.className = "undelivered";
      note.textContent = missed === 1 ? "One person did not get this." : `${missed} people did not get this.`;
      line.append(note);
    }
  }

  #add(whose, name, text) {
    const line = document.createElement("div");
    line.className = `line ${whose}`;
    line.append(isolated("bdi", name, "from"), isolated("p", text.slice(0, SHOWN_MAX), "text"));
    this.#append(line);
    return line;
  }

  #append(line) {
    const log = this.#log;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    log.append(line);
    while (log.children.length > LINES_MAX) log.firstElementChild.remove();
    if (atEnd || line.classList.contains("ours")) log.scrollTop = log.scrollHeight;
  }

  #setUnread(count) {
    this.#unread = count;
    this.#badge.hidden = count === 0;
    this.#badge.textContent = count > 99 ? "99+" : String(count);
    this.#toggle.setAttribute("aria-label", count ? `Chat, ${count} unread` : "Chat");
  }
}

/** An element with this text, whose direction is its own. */
function isolated(tag, text, className = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.dir = "auto";
  element.textContent = text;
  return element;
}

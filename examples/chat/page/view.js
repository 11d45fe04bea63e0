// What the page shows. Every text of a client goes in as text, never as HTML.

const byId = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** An element with properties and children; strings become text. */
function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A round initial whose colour comes from the name. */
function avatar(name) {
  const made = element("span", { className: "avatar", ariaHidden: "true" }, [...name.trim()][0]?.toUpperCase() ?? "?");
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
  made.style.setProperty("--hue", hue);
  return made;
}

export function showWelcome(shown) {
  byId("welcome").hidden = !shown;
  byId("chat").hidden = shown;
  byId(shown ? "name" : "room").focus();
}

export function showMe(name) {
  byId("me").replaceChildren(avatar(name), element("span", {}, name));
}

export function showConnection(state, delay, door) {
  const texts = {
    connecting: "Connecting…",
    open: "Connected",
    waiting: `Connection lost, trying again in ${Math.ceil(delay / 1000)} s`,
    closed: "Closed",
  };
  byId("connection").dataset.state = state;
  byId("connection").dataset.door = door;
  byId("connection").title = state === "open" ? `Connected over ${door}` : "";
  byId("connection-text").textContent = texts[state];
  byId("composer").querySelector("button").disabled = state !== "open";
}

/** Shows an error until it is dismissed, or for some seconds. */
export function showError(text) {
  const toast = element("p", { className: "toast" }, element("span", {}, text));
  const dismiss = () => toast.remove();
  toast.append(element("button", { type: "button", ariaLabel: "Dismiss", onclick: dismiss }, "×"));
  byId("errors").append(toast);
  setTimeout(dismiss, 8000);
}

/** The lists of conversations; `choose` is called with the one that is clicked. */
export function showSide(conversations, choose) {
  const entry = (conversation) => {
    const mark = conversation.kind === "person" ? avatar(conversation.title) : element("span", { className: "hash" }, "#");
    const button = element("button", { type: "button", onclick: () => choose(conversation) }, mark);
    button.append(element("span", { className: "label" }, conversation.title));
    if (conversation.unread) {
      const count = element("span", { className: "count" }, String(conversation.unread));
      count.append(element("span", { className: "unseen" }, " unread"));
      button.append(count);
    }
    if (conversation === conversations.active) button.setAttribute("aria-current", "true");
    return element("li", {}, button);
  };
  byId("rooms").replaceChildren(...[conversations.everyone(), ...conversations.of("room")].map(entry));
  byId("people").replaceChildren(...conversations.of("person").map(entry));
}

/** The conversation itself, anew. `own` holds the ids that this page has had: each connection gives it another. */
export function showConversation(conversation, own) {
  const { kind, title } = conversation;
  const subtitles = {
    everyone: "Goes to all who are connected, and is not kept.",
    room: "The last messages are kept for who comes later.",
    person: "A private message, seen by you two and kept nowhere.",
  };
  byId("title").textContent = title;
  byId("subtitle").textContent = subtitles[kind];
  byId("content").placeholder = `Write to ${kind === "everyone" ? "everyone" : title}`;
  byId("leave").hidden = kind === "everyone";
  byId("leave").textContent = kind === "room" ? "Leave room" : "Close";
  const log = byId("log");
  log.replaceChildren();
  for (const message of conversation.inOrder()) append(log, message, own);
  log.scrollTop = log.scrollHeight;
}

/** One message more. Who reads further up is left there. */
export function showMessage(message, own) {
  const log = byId("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  append(log, message, own);
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function append(log, { sender, content, timestamp }, own) {
  const time = new Date(timestamp);
  const item = element("li", { className: "message" });
  item.dataset.sender = sender.id;
  item.classList.toggle("mine", own.has(sender.id));
  item.classList.toggle("follows", log.lastElementChild?.dataset.sender === sender.id);
  const head = element("p", { className: "head" }, element("strong", {}, sender.name));
  head.append(element("time", { dateTime: time.toISOString() }, clock.format(time)));
  item.append(avatar(sender.name), element("div", { className: "bubble" }, head, element("p", { className: "text" }, content)));
  log.append(item);
}

export function showTyping(conversation) {
  const names = [...conversation.typing.values()].map(({ name }) => name);
  const verb = names.length > 1 ? "are" : "is";
  byId("typing").textContent = names.length ? `${names.join(", ")} ${verb} typing…` : "";
}

/** Who is in the room; `write` is called with whom one wants to write to. */
export function showMembers(conversation, me, write) {
  document.querySelector(".members").hidden = conversation.kind !== "room";
  const sorted = [...conversation.members.values()].sort((a, b) => a.name.localeCompare(b.name));
  const entry = (member) => {
    if (member.id === me?.id) return element("li", {}, avatar(member.name), element("span", { className: "label" }, `${member.name} (you)`));
    const button = element("button", { type: "button", title: "Write a private message", onclick: () => write(member) });
    button.append(avatar(member.name), element("span", { className: "label" }, member.name));
    return element("li", {}, button);
  };
  byId("members").replaceChildren(...sorted.map(entry));
  byId("members-title").textContent = `In this room (${sorted.length})`;
}

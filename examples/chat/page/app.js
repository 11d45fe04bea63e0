// The chat page: what people do goes to the server, what the server says goes on the page.

import { Conversations } from "./conversations.js";
import { doors } from "./doors.js";
import { logIn } from "./login.js";
import { explain } from "./narthex.js";
import * as view from "./view.js";

const TYPING_SHOWN = 3000;
const TYPING_SENT_EVERY = 2000;

const byId = (id) => document.getElementById(id);
let server, conversations, me, own, login;
let typingSent = 0;

/** Does something that can be refused, and shows the refusal. */
async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    view.showError(error.message);
  }
}

async function enter(name) {
  login = await logIn(name, byId("password").value);
  conversations = new Conversations();
  own = new Set();
  view.showMe(name);
  view.showWelcome(false);
  show(conversations.active);
  attempt(open);
}

/** Goes in through the door that is chosen; what was open is left. What the page shows stays. */
async function open() {
  const door = doors[byId("door").value];
  server?.close();
  const opened = await door.connect("/chat", login);
  server?.close();
  server = opened;
  server.on("new-message", (message) => receive(message.room ? conversations.room(message.room) : conversations.everyone(), message));
  server.on("private-message", ({ from, ...message }) => receive(conversations.openPerson(from), { ...message, sender: from }));
  server.on("recent-messages", recall);
  server.on("user-joined", ({ userId, name: who, room }) => memberChange(room, (members) => members.set(userId, { id: userId, name: who })));
  server.on("user-left", ({ userId, room }) => memberChange(room, (members) => members.delete(userId)));
  server.on("user-typing", typing);
  server.on("exception", (error) => view.showError(explain(error)));
  server.watch((state, delay) => {
    if (server !== opened) return;
    view.showConnection(state, delay, door.name);
    if (state !== "open") return;
    login.keep(opened);
    attempt(arrive);
  });
}

/** After each connect, the first and every later one: the server knows this page by a new id. */
async function arrive() {
  me = await server.request("whoami");
  own.add(me.id);
  const rooms = conversations.of("room").map((room) => room.key);
  await Promise.all(rooms.map((room) => attempt(() => join(room))));
}

async function join(room) {
  await server.request("join-room", { room });
  const conversation = conversations.openRoom(room);
  // Who comes or goes while the list is made may be told before it comes, and not be in it.
  let changes, members;
  do {
    changes = conversation.changes;
    members = await server.request("members", { room });
  } while (changes !== conversation.changes);
  conversation.members = new Map(members.map((member) => [member.id, member]));
  refresh();
  return conversation;
}

function show(conversation) {
  conversations.active = conversation;
  conversation.unread = 0;
  view.showConversation(conversation, own);
  refresh();
}

function refresh() {
  view.showSide(conversations, show);
  view.showMembers(conversations.active, me, (member) => show(conversations.openPerson(member)));
  view.showTyping(conversations.active);
}

function receive(conversation, message) {
  if (!conversation?.add(message)) return;
  if (conversation === conversations.active) view.showMessage(message, own);
  else conversation.unread += 1;
  refresh();
}

/** The history comes before the answer to the join, so the room may not be open yet. */
function recall(messages) {
  if (!messages.length) return;
  const conversation = conversations.openRoom(messages[0].room);
  for (const message of messages) conversation.add(message);
  if (conversation === conversations.active) view.showConversation(conversation, own);
}

function memberChange(room, change) {
  const conversation = conversations.room(room);
  if (!conversation) return;
  conversation.changes += 1;
  change(conversation.members);
  refresh();
}

function typing({ userId, name, room }) {
  const conversation = conversations.room(room);
  if (!conversation) return;
  clearTimeout(conversation.typing.get(userId)?.timer);
  const timer = setTimeout(() => {
    conversation.typing.delete(userId);
    view.showTyping(conversations.active);
  }, TYPING_SHOWN);
  conversation.typing.set(userId, { name, timer });
  view.showTyping(conversations.active);
}

async function send(content) {
  const { active } = conversations;
  if (active.kind === "person") {
    const { messageId } = await server.request("private-message", { to: active.key, content });
    receive(active, { id: messageId, content, sender: me, timestamp: Date.now() });
  } else {
    await server.request("send-message", active.kind === "room" ? { room: active.key, content } : { content });
  }
}

/** Calls `act` with the text of a form's only field, where there is one, and the field. */
function onSubmit(form, act) {
  byId(form).addEventListener("submit", (event) => {
    event.preventDefault();
    const field = event.currentTarget.querySelector("input, textarea");
    const text = field.value.trim();
    if (text) act(text, field);
  });
}

onSubmit("enter", (name) => attempt(() => enter(name)));

onSubmit("join", (room, field) => attempt(async () => {
  show(await join(room));
  field.value = "";
  byId("content").focus();
}));

// What could not be sent goes back into the field, unless something new was begun.
onSubmit("composer", (content, field) => {
  typingSent = 0;
  field.value = "";
  send(content).catch((error) => {
    view.showError(error.message);
    field.value ||= content;
  });
});

byId("leave").addEventListener("click", () => attempt(async () => {
  const { active } = conversations;
  if (active.kind === "room") await server.request("leave-room", { room: active.key });
  conversations.close(active);
  show(conversations.active);
}));

byId("door").addEventListener("change", () => attempt(open));

byId("quit").addEventListener("click", () => {
  server.close();
  login.leave();
  view.showWelcome(true);
});

byId("content").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId("composer").requestSubmit();
});

byId("content").addEventListener("input", () => {
  const { active } = conversations;
  if (active.kind !== "room" || Date.now() - typingSent < TYPING_SENT_EVERY) return;
  typingSent = Date.now();
  server.emit("typing", { room: active.key });
});

addEventListener("online", () => server?.retry());

const asked = new URLSearchParams(location.search).get("door");
if (asked in doors) byId("door").value = asked;

// What the page knows: conversations (rooms, people, everybody), their messages and who is in them.

/** Some messages with a title. Messages are kept by id, because one can come twice: as recent and as new. */
class Conversation {
  messages = new Map();
  members = new Map();
  typing = new Map();
  unread = 0;
  /** How often somebody has come or gone. */
  changes = 0;

  constructor(kind, key, title) {
    this.kind = kind;
    this.key = key;
    this.title = title;
  }

  /** Takes a message; false when it was there. */
  add(message) {
    if (this.messages.has(message.id)) return false;
    this.messages.set(message.id, message);
    this.typing.delete(message.sender.id);
    return true;
  }

  /** Oldest first: ids grow with time. */
  inOrder() {
    return [...this.messages.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

export class Conversations {
  #all = new Map();

  constructor() {
    this.active = this.#open("everyone", "", "Everyone");
  }

  /** All of one kind, in the order in which they were opened. */
  of(kind) {
    return [...this.#all.values()].filter((conversation) => conversation.kind === kind);
  }

  everyone() {
    return this.#all.get("everyone:");
  }

  /** A room, where it is joined. */
  room(name) {
    return this.#all.get(`room:${name}`);
  }

  openRoom(name) {
    return this.#open("room", name, name);
  }

  /** The conversation with a person, who is told apart by id: two people can have one name. */
  openPerson({ id, name }) {
    return this.#open("person", id, name);
  }

  close(conversation) {
    this.#all.delete(`${conversation.kind}:${conversation.key}`);
    if (this.active === conversation) this.active = this.of("room")[0] ?? this.everyone();
  }

  #open(kind, key, title) {
    const id = `${kind}:${key}`;
    if (!this.#all.has(id)) this.#all.set(id, new Conversation(kind, key, title));
    return this.#all.get(id);
  }
}

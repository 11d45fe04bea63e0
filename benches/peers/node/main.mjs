// What Narthex is measured against on Node.js: `node main.mjs ws`, `socket.io`, `nest-ws` or `nest-socket.io`.
// Each echoes and has rooms, as the load generator asks for; it prints `ready <addr>`.

const peers = {
  ws: () => import("./ws.mjs"),
  "socket.io": () => import("./socketio.mjs"),
  "nest-ws": () => import("./nest-ws.mjs"),
  "nest-socket.io": () => import("./nest-socketio.mjs"),
};

const [name] = process.argv.slice(2);
if (!(name in peers)) {
  console.error(`usage: node main.mjs ${Object.keys(peers).join("|")}`);
  process.exit(2);
}
const { listen } = await peers[name]();
const { address, port } = (await listen()).address();
console.log(`ready ${address}:${port}`);

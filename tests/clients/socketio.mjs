// The stock client of Socket.IO, steered by JSON lines on stdin; what happens to it is told in JSON lines on stdout.
//   node socketio.mjs URL OPTIONS      OPTIONS as of io(); lastEventId of the events seen goes into `auth` when it comes back
//   {"emit": [name, ...]}              {"ask": [name, ...]}: with an acknowledgement
//   {"token": text}                    {"disconnect": true}, {"connect": true}
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const options = JSON.parse(process.argv[3] ?? "{}");
const auth = { ...options.auth };
const socket = io(process.argv[2], { ...options, auth: (send) => send(auth) });

socket.io.on("open", () => {
  tell({ type: "open", transport: socket.io.engine.transport.name });
  socket.io.engine.once("upgrade", (transport) => tell({ type: "upgrade", transport: transport.name }));
});
socket.on("connect", () => tell({ type: "connect" }));
socket.on("connect_error", (error) => tell({ type: "connect_error", message: error.message }));
socket.on("disconnect", (reason) => tell({ type: "disconnect", reason }));
socket.onAny((name, data) => {
  if (data?.id !== undefined) auth.lastEventId = data.id;
  tell({ type: "event", name, data });
});

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { emit, ask, token, connect, disconnect } = JSON.parse(line);
    if (token) auth.token = token;
    if (emit) socket.emit(...emit);
    if (ask) socket.emit(...ask, (data) => tell({ type: "ack", name: ask[0], data }));
    if (connect) socket.connect();
    if (disconnect) socket.disconnect();
  })
  .on("close", () => process.exit());

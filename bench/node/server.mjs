// The signaling contract in the usual way: socket.io with its default options, a Map of rooms, one handler per event.
// Prints its address when it listens; ends when it is told to (SIGTERM).

import { createServer } from "node:http";
import { Server } from "socket.io";

const CAPACITY = 8;

/** Room id → (socket id → display name). */
const rooms = new Map();

const http = createServer();
const io = new Server(http);

function leave(socket) {
  const { roomId } = socket.data;
  const members = rooms.get(roomId);
  if (!members?.delete(socket.id)) return;
  if (members.size === 0) rooms.delete(roomId);
  socket.data.roomId = undefined;
  socket.leave(roomId);
  socket.to(roomId).emit("peer-left", { peerId: socket.id });
}

function refuse(code, message, ack) {
  ack?.({ ok: false, error: { code, message } });
}

function join(socket, request, ack) {
  const { roomId } = request ?? {};
  if (typeof roomId !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(roomId)) {
    return refuse("invalid-room-id", "A room id is 1 to 64 letters, digits, _ or -.", ack);
  }
  const displayName = String(request.displayName ?? "Guest").trim().slice(0, 64) || "Guest";
  const members = rooms.get(roomId) ?? new Map();
  if (members.size >= CAPACITY) return refuse("room-full", "The room is full.", ack);
  leave(socket);
  const participants = [...members].map(([peerId, name]) => ({ peerId, displayName: name, caps: [] }));
  const peers = participants.map(({ peerId }) => peerId);
  rooms.set(roomId, members.set(socket.id, displayName));
  socket.data.roomId = roomId;
  socket.join(roomId);
  socket.emit("peers", { peers, participants });
  socket.to(roomId).emit("peer-joined", { peerId: socket.id, displayName });
  ack?.({ ok: true, peerId: socket.id, peers, participants, iceServers: [] });
}

function signal(socket, message) {
  const { to, data } = message ?? {};
  if (!rooms.get(socket.data.roomId)?.has(to)) {
    socket.emit("signal-error", { to: String(to), code: "unknown-peer", message: "There is no such peer in the room." });
    return;
  }
  io.to(to).emit("signal", { from: socket.id, data });
}

const callback = (ack) => (typeof ack === "function" ? ack : undefined);

io.on("connection", (socket) => {
  socket.on("join-room", (request, ack) => join(socket, request, callback(ack)));
  socket.on("signal", (message) => signal(socket, message));
  socket.on("leave-room", (...args) => {
    leave(socket);
    callback(args.at(-1))?.({ ok: true });
  });
  socket.on("disconnect", () => leave(socket));
});

process.on("SIGTERM", () => process.exit(0));
http.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${http.address().port}`));

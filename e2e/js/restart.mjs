// What a client sees when the server stops and starts again: node restart.mjs URL v3|v4 default|polling|websocket
// Prints a line for each thing that happens: "joined", "disconnected REASON", "joined" again.

const [url, version, transport] = process.argv.slice(2);
const { io } = await import(version === "v3" ? "socket.io-client-v3" : "socket.io-client");
const socket = io(url, { reconnectionDelay: 100, reconnectionDelayMax: 200, ...(transport === "default" ? {} : { transports: [transport] }) });

socket.on("connect", () => {
  socket.emit("join-room", { roomId: "restart", displayName: "Ada" }, (answer) => {
    console.log(answer.ok ? "joined" : `refused ${answer.error.code}`);
  });
});
socket.on("disconnect", (reason) => console.log(`disconnected ${reason}`));

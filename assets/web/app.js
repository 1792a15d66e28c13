// The one script of both pages: it loads the controller that the page names. No build step, no inline script, no third party but the
// Socket.IO client that our own server serves.

const pages = {
  lobby: () => import("./js/lobby.js"),
  room: () => import("./js/room.js"),
};

const page = await pages[document.body.dataset.page]();
page.start();

// Keeps a phone's screen on during a call (W3C screen-wake-lock). Where there is no such thing, the call goes on all the same.

let wanted = false;
let lock = null;

async function request() {
  if (!wanted || lock || document.hidden) return;
  try {
    lock = await navigator.wakeLock?.request("screen");
    lock?.addEventListener("release", () => (lock = null));
  } catch {
    // Refused, for example on low battery.
  }
}

// The browser takes the lock back when the page is hidden.
document.addEventListener("visibilitychange", request);

export function keepScreenOn(on) {
  wanted = on;
  if (on) request();
  else lock?.release();
}

// Talks to the control API, and listens for changes.

export class Refused extends Error {}

async function read(response) {
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.error ?? `HTTP ${response.status}`);
  return answer;
}

/** Fetch what one person sees. */
export async function getState(user) {
  const query = user ? `?user=${encodeURIComponent(user)}` : "";
  return read(await fetch(`/_/state${query}`));
}

/** Do something as a person. */
export async function act(path, body) {
  const options = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  return read(await fetch(`/_/${path}`, options));
}

/** Call back on each change, and reconnect for ever. */
export function listen(onChange, onConnection) {
  let wait = 250;
  const connect = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/_/live`);
    socket.onopen = () => {
      wait = 250;
      onConnection(true);
    };
    socket.onmessage = onChange;
    socket.onclose = () => {
      onConnection(false);
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, 4000);
    };
  };
  connect();
}

// Follows a session: whatever the network does, the text is whole. `show` gets all messages, in
// order, after each change. A plain script, so that reader.html works from a file.

// biome-ignore lint/correctness/noUnusedVariables: the page calls it
function follow(address, token, show) {
  let messages = new Map();
  let position = "";
  let isReplaying = true;
  const connect = `${address.replace(/^http/, "ws")}/connect`;

  function take(frame) {
    if (frame.type === "attached") {
      isReplaying = true;
      if (!frame.resumed) messages = new Map(); // What follows is all there is (P3.6).
    } else if (frame.type === "caught-up") {
      isReplaying = false;
      position = frame.serial;
    } else if (frame.type === "message.create") {
      messages.set(frame.message.serial, frame.message);
      move(frame.message.version);
    } else if (frame.type === "message.update") {
      const held = messages.get(frame.message.serial);
      // Without data it says the same as before (P4.4).
      if (held) messages.set(held.serial, { data: held.data, ...frame.message });
      move(frame.message.version);
    } else if (frame.type === "message.append") {
      const held = messages.get(frame.serial);
      // Taking a frame twice, or one that overlaps, does no harm (P3.10).
      if (held) held.data = held.data.slice(0, frame.offset) + frame.data;
      if (held && frame.status) held.status = frame.status;
      if (held && frame.headers) held.headers = frame.headers;
      move(frame.version);
    } else if (frame.type === "message.delete") {
      messages.delete(frame.serial);
      move(frame.version);
    } else if (frame.type === "log.trim") {
      const isGone = (serial) => serial < frame.before && !frame.keep?.includes(serial);
      for (const serial of [...messages.keys()].filter(isGone)) messages.delete(serial);
    }
  }

  function move(version) {
    if (!isReplaying && version > position) position = version; // P3.7
  }

  function attach() {
    const protocols = ["sessile.v1", `sessile.token.${token}`];
    const socket = new WebSocket(position ? `${connect}?since=${position}` : connect, protocols);
    socket.onmessage = ({ data }) => {
      for (const frame of [JSON.parse(data)].flat()) take(frame);
      show([...messages.values()]);
    };
    // These codes will not change by trying again (P13.3), nor will this token.
    const isFinal = (code) => [4400, 4401, 4403, 4410, 4413].includes(code);
    socket.onclose = ({ code }) => {
      if (!isFinal(code)) setTimeout(attach, 500 + Math.random() * 1000);
    };
    return socket;
  }
  return attach();
}

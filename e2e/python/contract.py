"""The contract of the signaling server, spoken by python-socketio: contract.py URL default|polling|websocket

Its handlers take exactly one argument: a server that adds an offset to every event breaks it.
"""

import queue
import sys

import socketio

URL, TRANSPORT = sys.argv[1:3]
TRANSPORTS = None if TRANSPORT == "default" else [TRANSPORT]
EVENTS = ["peers", "peer-joined", "peer-left", "signal", "join-error", "signal-error", "room-closed"]


class Client:
    def __init__(self):
        self.sio = socketio.Client(reconnection=False, handle_sigint=False)
        self.events = queue.Queue()
        for name in EVENTS:
            self.sio.on(name, self.handler(name))
        self.sio.connect(URL, transports=TRANSPORTS, wait_timeout=30)

    def handler(self, name):
        def handle(data):
            self.events.put((name, data))

        return handle

    @property
    def id(self):
        return self.sio.get_sid()

    def ask(self, name, data):
        return self.sio.call(name, data, timeout=30)

    def next(self, name):
        got, data = self.events.get(timeout=30)
        assert got == name, (got, data)
        return data


def main():
    ada, bo = Client(), Client()
    answer = ada.ask("join-room", {"roomId": "python", "displayName": "Ada"})
    assert answer["ok"] is True and answer["peerId"] == ada.id and answer["peers"] == [], answer
    assert ada.next("peers") == {"peers": [], "participants": []}
    bo.sio.emit("join-room", {"roomId": "python", "displayName": "Bø"})
    assert bo.next("peers")["peers"] == [ada.id]
    assert ada.next("peer-joined") == {"peerId": bo.id, "displayName": "Bø", "caps": []}

    for number in range(500):
        bo.sio.emit("signal", {"to": ada.id, "data": {"candidate": {"candidate": f"candidate:{number} é"}}})
    # The client handles each message on a thread of its own, so their order here says nothing about the server.
    candidates = set()
    for _ in range(500):
        signal = ada.next("signal")
        assert signal["from"] == bo.id
        candidates.add(signal["data"]["candidate"]["candidate"])
    assert candidates == {f"candidate:{number} é" for number in range(500)}

    ada.sio.emit("signal", {"to": "nobody", "data": 1})
    assert ada.next("signal-error")["code"] == "peer-not-found"
    ada.sio.emit("join-room", {"roomId": 7})
    error = ada.next("join-error")
    assert error["code"] == "invalid-argument" and "roomId" in error["message"], error

    bo_id = bo.id
    assert bo.ask("leave-room", None) == {"ok": True}
    assert ada.next("peer-left")["peerId"] == bo_id
    bo.ask("join-room", {"roomId": "python"})
    assert ada.next("peer-joined")["displayName"] == "Guest"
    bo.sio.disconnect()
    assert ada.next("peer-left")["peerId"] == bo_id
    ada.sio.disconnect()
    assert ada.events.empty()
    print("ok")


main()

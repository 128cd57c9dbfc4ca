"""A headless Chromium that is told what to do through its DevTools protocol: real keys, real navigation, pictures."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FLAGS = (*QUIET, "--remote-debugging-port=0")
PATIENCE = 60.0  # seconds; a busy machine is slow


class Chrome:
    """One tab. `messages` are the browser's complaints: refused by the policy, errors of scripts."""

    def __init__(self, program: str, profile: Path) -> None:
        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.messages: list[str] = []
        self._numbers = itertools.count(1)
        try:
            self._socket = self._connected(profile / "DevToolsActivePort")
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.tell(f"{domain}.enable")
        except BaseException:
            self._process.kill()
            raise

    def _connected(self, told: Path) -> ClientConnection:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if told.is_file() and (lines := told.read_text().split()):
                with urlopen(f"http://127.0.0.1:{lines[0]}/json/list") as answer:
                    pages = [page for page in json.load(answer) if page["type"] == "page"]
                if pages:
                    return connect(pages[0]["webSocketDebuggerUrl"], max_size=None)
            time.sleep(0.05)
        raise TimeoutError("Chromium did not start")

    def close(self) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait(10)

    def tell(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=PATIENCE))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._hear(answer)

    def _hear(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            self.messages.append(event["params"]["entry"]["text"])
        elif event.get("method") == "Runtime.exceptionThrown":
            self.messages.append(str(event["params"]["exceptionDetails"]))

    def open(self, url: str) -> None:
        self.doing(lambda: self.tell("Page.navigate", url=url))

    def doing(self, act: Any) -> None:
        """Do what leads to another page, and wait for it."""
        self.see("window.before = true")
        act()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if self.see("!window.before && document.readyState === 'complete'"):
                    return
            except AssertionError:  # the page is just being replaced
                pass
            time.sleep(0.02)
        raise TimeoutError("the page did not change")

    def see(self, script: str) -> Any:
        """Return what a piece of script gives."""
        answer = self.tell("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        text = {"text": "\r" if key == "Enter" else key} if key == "Enter" or len(key) == 1 else {}
        code = {"windowsVirtualKeyCode": 13} if key == "Enter" else {}
        self.tell("Input.dispatchKeyEvent", type="keyDown", key=key, **text, **code)
        self.tell("Input.dispatchKeyEvent", type="keyUp", key=key, **code)

    def write(self, text: str) -> None:
        self.tell("Input.insertText", text=text)

    def size(self, width: int, height: int) -> None:
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.tell("Page.captureScreenshot", captureBeyondViewport=True)["data"]))

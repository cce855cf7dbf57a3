"""A node of its own, and browsers that are people."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import uuid

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 20
PATIENCE_SECONDS = 10
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Proxies are not for loopback.
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"


class Node:
    """A rollcalld in quickstart mode, with a data folder of its own."""

    def __init__(self, folder):
        binary = os.environ.get("ROLLCALLD", "build/release/rollcalld")
        self.url = None
        self.links = []
        self.lines = []
        self.process = subprocess.Popen(
            [str(ROOT / binary), "--quickstart", "--data-dir", str(folder),
             "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        # The pipe is read to the end, so that the node never waits for us.
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.tokens = self._await_tokens()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def _await_tokens(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            # The last line may still be on its way.
            self.links = re.findall(r"(?m)^\s*(http://\S+/#\S+)\n",
                                    "".join(self.lines))
            if len(self.links) >= 2:
                self.url = self.links[0].split("/#")[0]
                if self._answers():
                    return [re.search(r"token=([\w.-]+)", link).group(1)
                            for link in self.links]
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        raise AssertionError("the node did not start:\n" + "".join(self.lines))

    def _answers(self):
        try:
            with urllib.request.urlopen(self.url + "/", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.reader.join(5)


class Person:
    """A browser of its own with the live page open."""

    def __init__(self, node, profile, size):
        options = webdriver.ChromeOptions()
        for flag in CHROMIUM_FLAGS:
            options.add_argument(flag)
        options.add_argument(f"--user-data-dir={profile}")
        options.add_argument("--window-size={},{}".format(*size))
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.node = node
        self.driver = webdriver.Chrome(
            service=Service("/usr/bin/chromedriver"), options=options)

    def open(self, **fragment):
        self.driver.get(f"{self.node.url}/#{urllib.parse.urlencode(fragment)}")

    def enter(self, who, session, **more):
        """Joins `session` with the node's token number `who`."""
        self.open(session=session, create="party",
                  token=self.node.tokens[who], **more)
        self.until(lambda: self.all(".own .card"), "joined")
        return self

    def until(self, condition, what, seconds=PATIENCE_SECONDS):
        return WebDriverWait(
            self.driver, seconds, poll_frequency=0.05,
        ).until(lambda _: condition(), f"never came true: {what}")

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def js(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def text(self, selector):
        return self.js("return document.querySelector(arguments[0])"
                       "?.innerText ?? null", selector)

    def visible(self, selector):
        return any(part.is_displayed() for part in self.all(selector))

    def click(self, selector):
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def own_name(self):
        return self.text(".own .name")

    def others(self):
        """What the cards of the others say: name, state, text, live keys."""
        return self.js("""
            return [...document.querySelectorAll("#people .card")].map(
              (card) => ({
                id: card.dataset.id,
                name: card.querySelector(".name").textContent,
                state: card.dataset.state,
                text: card.innerText,
                chips: [...card.querySelectorAll(".chip")]
                  .map((chip) => chip.textContent),
              }));""")

    def other(self, name):
        found = [card for card in self.others() if card["name"] == name]
        assert len(found) <= 1, f"{name} is here twice"
        return found[0] if found else None

    def feed(self):
        """The activity, oldest first."""
        return self.js("""
            return [...document.querySelectorAll("#feed p")]
              .map((line) => line.textContent).reverse();""")

    def complaints(self):
        """Errors of the page; a policy it breaks counts."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE"]

    def kill(self):
        """Ends the browser the hard way, without any goodbye."""
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid",
             str(self.driver.service.process.pid)],
            capture_output=True, text=True, check=True).stdout.split()
        pids = list(map(int, children))
        for pid in pids:
            pids += _children(pid)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def close(self):
        try:
            self.driver.quit()
        except Exception:  # the browser may have been killed by the test
            self.driver.service.stop()


def _children(pid):
    listing = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)],
                             capture_output=True, text=True, check=False)
    return list(map(int, listing.stdout.split()))


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    running = Node(tmp_path_factory.mktemp("data"))
    yield running
    running.stop()


@pytest.fixture
def session():
    """A session nobody else uses."""
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def person(node):
    """Makes people; they go when the test ends."""
    made = []
    with tempfile.TemporaryDirectory(
            prefix="rollcall-", ignore_cleanup_errors=True) as profiles:

        def make(size=(1280, 900)):
            made.append(Person(node, f"{profiles}/{len(made)}", size))
            return made[-1]

        yield make
        for one in made:
            one.close()

"""Pages written for another system: `fetch` without a header and `new
WebSocket` with a URL alone work here as they are."""

import json
import urllib.request

import pytest

# As its documentation gives them to the authors of pages.
COUNT = """
const streamId = arguments[0], done = arguments[arguments.length - 1];
(async () => {
  const response = await fetch(`/streams/${streamId}/participants`);
  const data = await response.json();
  done(data.active_count);
})();
"""
WATCH = """
const streamId = arguments[0];
window.told = [];
const ws = new WebSocket(
  `ws://${location.host}/streams/${streamId}/participants/ws`);
ws.onopen = () => { window.told.push("open"); };
ws.onmessage = (event) => {
  const data = JSON.parse(event.data);
  if (data.type === 'participant_joined') {
    window.told.push([data.participant_id, data.is_reconnection,
                      data.active_count]);
  }
  if (data.type === 'participant_left') {
    window.told.push([data.participant_id, data.active_count]);
  }
};
ws.onerror = (error) => { window.told.push("error"); };
"""


def call(node, token, method, where, body=None):
    asked = urllib.request.Request(
        node.url + where, method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}",
                 "Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture
def page(person, node):
    one = person()
    one.driver.get(node.url + "/healthz")
    return one


def test_count_and_events(person, node, page, session):
    call(node, node.tokens[0], "POST", "/v1/sessions",
         {"session": session, "kind": "stream"})
    count = lambda: page.driver.execute_async_script(COUNT, session)
    told = lambda: page.driver.execute_script("return window.told")
    assert count() == 0
    page.driver.execute_script(WATCH, session)
    page.until(lambda: told() == ["open"], "the socket is open")
    ada = person().enter(0, session)
    page.until(lambda: len(told()) == 2, "a join is told")
    who, is_reconnection, active = told()[1]
    assert (is_reconnection, active) == (False, 1) and len(who) == 22
    assert count() == 1
    ada.driver.get("about:blank")
    page.until(lambda: len(told()) == 3, "a leave is told")
    assert told()[2] == [who, 0]
    assert count() == 0

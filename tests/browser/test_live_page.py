"""The live page of a real node, in real browsers."""

import re
import urllib.request

import pytest

GRACE_SECONDS = 10  # drop_grace of the kind `party`


def two(person, session):
    ada = person().enter(0, session)
    ben = person().enter(1, session)
    ada.until(lambda: len(ada.others()) == 1, "Ada sees Ben")
    ben.until(lambda: len(ben.others()) == 1, "Ben sees Ada")
    return ada, ben


def test_two_people_see_each_other(person, session):
    ada, ben = two(person, session)
    assert ada.others()[0]["name"] == ben.own_name()
    assert ben.others()[0]["name"] == ada.own_name()
    for one in (ada, ben):
        one.until(lambda: one.text("#present") == "2", "two are counted")
        assert one.text("#link-text") == "Online"
        assert one.text("#room-name") == session
        assert one.text("#room-kind") == "party"
        assert "You" in one.text(".own .badges")
        assert one.driver.title.startswith("(2) ")
        assert one.complaints() == []
    assert any("joined" in line for line in ada.feed())


def test_the_printed_links_lead_into_one_session(person, node):
    ada, ben = person(), person()
    ada.driver.get(node.links[0])
    ben.driver.get(node.links[1])
    for one in (ada, ben):
        one.until(lambda: one.text("#present") == "2", "two are counted")
    assert ada.text("#room-name") == ben.text("#room-name")


def test_live_state_shows_at_the_other(person, session):
    ada, ben = two(person, session)
    name = ada.own_name()
    ada.click(".toggle[data-key=hand]")
    ada.click(".toggle[data-key=audio]")
    ada.click("label[for=step-2]")
    ben.until(lambda: sorted(ben.other(name)["chips"])
              == ["Hand up", "Mic on", "Step 2"], "Ben sees Ada's state")
    ada.click(".toggle[data-key=hand]")
    ben.until(lambda: sorted(ben.other(name)["chips"])
              == ["Mic on", "Step 2"], "Ben sees the hand go down")
    pressed = ada.driver.find_element(
        "css selector", ".toggle[data-key=audio]").get_attribute("aria-pressed")
    assert pressed == "true"
    assert f"{name} raised a hand" in ben.feed()


def test_somebody_new_sees_what_was_set_before(person, session):
    ada = person().enter(0, session)
    ada.click(".toggle[data-key=video]")
    ada.until(lambda: ada.all(".own .chip"), "Ada's own chip")
    ben = person().enter(1, session)
    ben.until(lambda: ben.others() and ben.others()[0]["chips"]
              == ["Camera on"], "Ben sees Ada's camera")


def test_a_killed_browser_is_suspected_and_then_gone(person, session):
    ada, ben = two(person, session)
    name = ben.own_name()
    ben.kill()
    ada.until(lambda: ada.other(name)["state"] == "suspected", "suspected")
    assert ada.text("#present") == "2", "the suspected still count"
    first = seconds_left(ada.other(name))
    assert 0 < first <= GRACE_SECONDS
    ada.until(lambda: seconds_left(ada.other(name)) < first, "counting down")
    ada.until(lambda: ada.other(name) is None, "gone",
              seconds=GRACE_SECONDS + 5)
    ada.until(lambda: ada.text("#present") == "1", "counted out")
    lines = [line for line in ada.feed() if line.startswith(name)]
    assert lines[-2:] == [f"{name} may be gone: connection silent",
                          f"{name} left: the connection was lost"]


def seconds_left(card):
    return int(re.search(r"leaves in (\d+) s", card["text"]).group(1))


def test_a_return_within_the_grace_is_no_leave(person, session):
    ada, ben = two(person, session)
    name = ben.own_name()
    ben.click(".toggle[data-key=hand]")
    ada.until(lambda: ada.other(name)["chips"] == ["Hand up"], "hand up")
    ben.click("#drop")
    ben.until(lambda: ben.text("#link-text") == "Reconnecting", "offline")
    assert re.fullmatch(r"in \d s", ben.text("#link-wait"))
    ada.until(lambda: ada.other(name)["state"] == "suspected", "suspected")
    ada.until(lambda: ada.other(name)["state"] == "online", "back")
    ben.until(lambda: ben.text("#link-text") == "Online", "online")
    lines = [line for line in ada.feed() if line.startswith(name)]
    assert lines[-2:] == [f"{name} may be gone: connection silent",
                          f"{name} is back"]
    assert not any("left" in line or "came back" in line for line in lines)
    assert ada.other(name)["chips"] == ["Hand up"]
    assert "reconnected" not in ada.other(name)["text"]


def test_leaving_and_joining_again(person, session):
    ada, ben = two(person, session)
    name = ben.own_name()
    ben.click("#leave")
    ada.until(lambda: ada.other(name) is None, "Ben is gone at once")
    assert f"{name} left" in ada.feed()
    ben.until(lambda: ben.visible("#enter"), "a way back")
    ben.until(lambda: len(ben.others()) == 1, "Ben still watches")
    ben.click("#enter")
    ada.until(lambda: ada.other(name), "Ben is back")
    assert "reconnected once" in ada.other(name)["text"]
    assert f"{name} came back" in ada.feed()


def test_closing_the_tab_is_a_goodbye(person, session):
    ada, ben = two(person, session)
    name = ben.own_name()
    ben.driver.get("about:blank")
    ada.until(lambda: ada.other(name) is None, "gone at once",
              seconds=GRACE_SECONDS / 2)
    assert [line for line in ada.feed() if line.startswith(name)][-1] \
        == f"{name} left"


def test_one_user_in_two_windows_is_one_participant(person, session):
    ada, ben = two(person, session)
    again = person().enter(1, session)
    name = ben.own_name()
    ada.until(lambda: "2 connections" in ada.other(name)["text"], "counted")
    assert ada.text("#present") == "2"
    again.driver.get("about:blank")
    ada.until(lambda: "connections" not in ada.other(name)["text"], "one left")
    assert ada.other(name)["state"] == "online"
    assert not any("left" in line for line in ada.feed())


def test_a_bad_token_is_told_in_words(person, session):
    one = person()
    one.open(session=session, create="party", token="not.a.token")
    one.until(lambda: one.visible("#alert"), "the refusal")
    assert one.text("#alert-title") == "This token was not accepted"
    assert one.text("#link-text") == "Disconnected"
    assert not one.visible("#room")
    one.click("#alert-other")
    one.until(lambda: one.visible("#form"), "the form")


def test_a_session_that_is_not_there_is_told_in_words(person, node, session):
    one = person()
    one.open(session=session, token=node.tokens[0])
    one.until(lambda: one.visible("#alert"), "the refusal")
    assert one.text("#alert-title") == "There is no such session"


def test_the_form_leads_in(person, node, session):
    one = person()
    one.open()
    one.until(lambda: one.visible("#form"), "the form")
    one.click("#form [type=submit]")
    assert one.text("#form-session-error") == "Enter the name of a session."
    fields = one.driver.find_element
    fields("id", "form-session").send_keys(session)
    one.js("document.getElementById('form-token').value = arguments[0]",
           node.tokens[0])
    one.js("document.getElementById('form-create').value = 'board'")
    one.click("#form [type=submit]")
    one.until(lambda: one.all(".own .card"), "joined")
    assert one.text("#room-kind") == "board"
    assert node.tokens[0] not in one.driver.current_url


def test_ids_are_shown_as_text(person, session):
    name = f"<img src=x onerror=alert(1)> {session}"
    ada = person().enter(0, name)
    assert ada.text("#room-name") == name
    assert ada.all("#room-name *") == []
    assert ada.complaints() == []


@pytest.mark.parametrize("size", [(360, 780), (768, 1024), (1280, 900)])
def test_nothing_overflows(person, session, size, tmp_path):
    ada = person()
    # A headless window has a least width; the emulated screen has not.
    ada.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": size[0], "height": size[1], "deviceScaleFactor": 1,
        "mobile": False})
    ada.enter(0, session + "-" + "long" * 20)
    ben = person().enter(1, session + "-" + "long" * 20)
    ben.click(".toggle[data-key=hand]")
    ada.until(lambda: ada.others() and ada.others()[0]["chips"], "Ben's hand")
    ada.click("label[for=step-1]")
    ada.until(lambda: ada.all(".own .chip"), "own chip")
    wide = ada.js("""
        const limit = document.documentElement.clientWidth;
        return [...document.querySelectorAll("body *")]
          .filter((part) => !part.closest("svg, .skip, .steps input"))
          .filter((part) => part.getBoundingClientRect().right > limit + 1)
          .map((part) => part.className || part.id || part.tagName);""")
    assert wide == []
    assert ada.js("return document.documentElement.scrollWidth"
                  " <= document.documentElement.clientWidth")
    assert ada.driver.save_screenshot(str(tmp_path / "page.png"))


def test_what_the_node_serves(node):
    with urllib.request.urlopen(node.url + "/", timeout=5) as answer:
        policy = answer.headers["Content-Security-Policy"]
        body = answer.read().decode()
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<style" not in body and "style=" not in body
    for kind, name in [("text/javascript", "app.js"), ("text/css", "style.css"),
                       ("image/svg+xml", "favicon.svg")]:
        with urllib.request.urlopen(f"{node.url}/{name}", timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith(kind)


def bars(one):
    return one.js("return [...document.querySelectorAll('#past rect')]"
                  ".map((bar) => Number(bar.dataset.peak))")


def test_presence_over_time_is_drawn_from_the_history(person, session):
    ada, ben = two(person, session)
    ada.until(lambda: max(bars(ada) or [0]) == 2, "two show in the chart")
    assert len(bars(ada)) == 60
    assert ada.text("[data-figure=unique]") == "2"
    assert ada.text("[data-figure=peak]") == "2"
    assert "2 in all" in ada.text("#past figcaption")
    ben.close()
    ada.until(lambda: ada.text("#present") == "1", "Ben is gone")
    again = person().enter(1, session)
    again.until(lambda: again.text("[data-figure=returns]") == "1",
                "the past is there for whoever comes")
    assert again.text("[data-figure=unique]") == "2"
    assert max(bars(again)) == 2
    ada.click("#past select option[value='60']")
    ada.until(lambda: "last hour" in ada.text("#past figcaption"),
              "another span")
    assert ada.complaints() == []

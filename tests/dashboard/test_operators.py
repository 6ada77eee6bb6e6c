"""The pages of keys and webhooks; no run is trained."""

import re

import pytest
from playwright.sync_api import expect

from service.app import create_app
from tests.core.webhooks.receiver import receiving
from tests.core.webhooks.rows import LOCAL
from tests.dashboard.conftest import opened
from tests.dashboard.test_pages import sound
from tests.live import live

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
SECRET = re.compile(r"fitserve_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}")


@pytest.fixture
def page(browser):
    # the security policy would block the script of axe
    with opened(browser, bypass_csp=True) as page:
        yield page


@pytest.fixture
def url(bench):
    webhooks = LOCAL.model_copy(update={"poll_seconds": 0.05})
    app = create_app(bench.settings.model_copy(update={"webhooks": webhooks}))
    with live(app) as url:
        yield url


def storage_of(page):
    return page.evaluate("JSON.stringify([localStorage, sessionStorage, location.href])")


def create_key(page, name, **scopes):
    """Fill and send the form. Return the secret, and close the dialog that shows it."""
    form = page.locator("[aria-labelledby=create-key]")
    form.get_by_label("Name").fill(name)
    for scope, is_wanted in scopes.items():
        form.get_by_label(scope.replace("_", ":"), exact=False).set_checked(is_wanted)
    form.get_by_role("button", name="Create key").click()
    secret = page.get_by_role("dialog").get_by_label("Key")
    expect(secret).to_have_value(SECRET)
    text = secret.input_value()
    assert text not in storage_of(page)
    return text


def test_keys_are_created_shown_once_and_revoked(page, url):
    """The first key ends the access without a key; the page then asks for one."""
    page.goto(f"{url}/#/keys")
    expect(page.locator("main .warn")).to_contain_text("The service has no key yet")
    expect(page.get_by_role("link", name="Keys")).to_be_visible()
    secret = create_key(page, "boss")
    expect(page.get_by_role("dialog")).to_contain_text("From now on, every request needs")
    sound(page, "the secret of a new key")
    page.get_by_role("button", name="Close without using it").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="API key").fill(secret)
    dialog.get_by_role("button", name="Use this key").click()
    row = page.locator(".keys tbody tr")
    expect(row).to_contain_text(["boss"])
    assert secret not in page.content()

    form = page.locator("[aria-labelledby=create-key]")
    form.get_by_label("Name").fill("two words")
    form.get_by_label("Days until it expires").fill("soon")
    form.get_by_role("button", name="Create key").click()
    for label in ("Name", "Days until it expires"):
        expect(form.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_label("Name")).to_be_focused()
    expect(form.get_by_role("alert")).to_contain_text("Days until it expires:")
    sound(page, "a key that is refused")
    form.get_by_label("Days until it expires").fill("30")
    create_key(page, "phone", models_predict=True, runs_write=False)
    page.get_by_role("button", name="Done").click()
    expect(row).to_have_count(2)
    phone = row.filter(has_text="phone")
    expect(phone.locator(".alias", has_text="runs:write")).to_have_count(0)
    expect(phone.locator(".chip")).to_have_text("valid")
    sound(page, "keys")
    phone.get_by_role("button", name="Revoke").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    expect(phone.locator(".chip")).to_have_text("revoked")
    expect(phone.get_by_role("button", name="Revoke")).to_have_count(0)


def test_the_first_key_is_used_on_the_page_if_the_user_agrees(page, url):
    """The list follows without a question, and the key stays in this tab."""
    page.goto(f"{url}/#/keys")
    create_key(page, "boss")
    page.get_by_role("button", name="Use it on this page").click()
    expect(page.locator(".keys tbody tr")).to_contain_text(["boss"])
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#session")).to_contain_text("boss in default")


def test_the_secret_is_in_a_monospaced_font(page, url):
    """Letters such as l and I differ; so does the JSON of a spec."""
    page.goto(f"{url}/#/keys")
    create_key(page, "boss")
    secret = page.get_by_role("dialog").get_by_label("Key")
    assert "monospace" in secret.evaluate("one => getComputedStyle(one).fontFamily")
    expect(page.get_by_role("dialog").get_by_role("button", name="Copy")).to_be_visible()


def test_a_key_of_one_tab_answers_the_question_of_another_tab(page, url):
    """A waiting tab follows the tab where the key is entered; a later tab may take it."""
    page.goto(f"{url}/#/keys")
    second, third = page.context.new_page(), page.context.new_page()
    second.goto(f"{url}/#/runs")
    expect(second.locator(".empty")).to_be_visible()
    create_key(page, "boss")
    expect(second.get_by_role("dialog")).to_contain_text("API key required")
    page.get_by_role("button", name="Use it on this page").click()
    expect(second.get_by_role("dialog")).to_have_count(0)
    expect(second.locator("#session")).to_contain_text("boss in default")

    third.goto(f"{url}/#/tables")
    use = third.get_by_role("button", name="Use the key of the other tab")
    expect(use).to_be_visible()
    assert third.evaluate("sessionStorage.length") == 0
    use.click()
    expect(third.locator("main h1")).to_have_text("Tables")
    assert third.evaluate("localStorage.length") == 0


def test_a_key_that_may_only_predict_opens_a_model(page, bench, url, tmp_path):
    """The page says what the key lacks, and predicts the rows of a file."""
    bench.upload("x,y\n" + "".join(f"{i},{3 * i}\n" for i in range(40)), "lines")
    run = bench.train({"dataset": "lines", "target": "y", "fit": {"epochs": 2}})
    assert run["status"] == "succeeded", run["error"]
    given = {"name": "caller", "scopes": ["models:predict"]}
    key = bench.client.post("/v1/keys", json=given).json()["key"]
    page.goto(f"{url}/#/models")
    page.get_by_role("textbox", name="API key").fill(key)
    page.get_by_role("button", name="Use this key").click()
    lacking = page.locator("main .warn code")
    expect(lacking).to_have_text(["models:read"])
    sound(page, "models that a key may not read")
    page.get_by_label("Name of the model").fill("lines")
    page.get_by_role("button", name="Open").click()
    expect(page.locator("main h1")).to_have_text("lines")
    expect(lacking).to_have_text(["models:read"])
    rows = tmp_path / "rows.csv"
    rows.write_text("x\n1\n2\n")
    page.get_by_label("File", exact=True).set_input_files(rows)
    heading = page.locator(".of-file .head h3")
    expect(heading).to_have_text("2 rows of rows.csv predicted by version 1")
    sound(page, "a model that a key may not read")


def test_a_key_that_is_not_an_operators_sees_no_keys(page, url):
    """The link is hidden, and the page says which scope is missing."""
    import httpx

    boss = httpx.post(f"{url}/v1/keys", json={"name": "boss", "scopes": ["admin"]}).json()
    head = {"Authorization": f"Bearer {boss['key']}"}
    given = httpx.post(f"{url}/v1/keys", json={"name": "user"}, headers=head).json()
    page.goto(f"{url}/#/keys")
    page.get_by_role("textbox", name="API key").fill(given["key"])
    page.get_by_role("button", name="Use this key").click()
    box = page.locator("main [role=alert]")
    expect(box).to_contain_text("requires the scope admin")
    expect(box).to_contain_text("Ask the operator for a key with this scope.")
    assert "--scope" not in box.inner_text()
    expect(page.locator("#session")).to_contain_text("user in default")
    expect(page.get_by_role("link", name="Keys")).to_have_count(0)


@pytest.fixture
def runs(bench):
    """Queue a run and cancel another; return their ids."""
    bench.upload("x,y\n" + "".join(f"{i},{3 * i}\n" for i in range(40)))
    ids = [bench.post({"dataset": "table", "target": "y"}) for _ in range(2)]
    bench.client.post(f"/v1/runs/{ids[1]}/cancel").raise_for_status()
    return ids


def test_webhooks_are_created_sent_again_and_deleted(page, url, runs):
    """A signed message that was delivered asks for its secret."""
    with receiving() as receiver:
        page.goto(f"{url}/#/webhooks?run={runs[1]}")
        form = page.locator("[aria-labelledby=create-webhook]")
        expect(form.get_by_label("Run")).to_have_value(runs[1])
        form.get_by_label("URL").fill("https://user:word@example.com/")
        form.get_by_role("button", name="Create webhook").click()
        expect(form.get_by_label("URL")).to_have_attribute("aria-invalid", "true")
        expect(form.get_by_role("alert")).to_contain_text("URL:")
        sound(page, "a webhook that is refused")
        form.get_by_label("URL").fill(receiver.url)
        form.get_by_role("button", name="Generate a secret").click()
        expect(form.get_by_label("Secret")).to_have_value(re.compile("^whsec_.{44}$"))
        secret = form.get_by_label("Secret").input_value()
        form.get_by_role("button", name="Create webhook").click()
        row = page.locator(".hooks tbody tr")
        expect(row).to_contain_text(receiver.url)
        assert secret not in storage_of(page) + page.content()
        see(page, row, "delivered")
        sound(page, "webhooks")

        again = row.get_by_role("button", name="Send the message")
        again.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Secret").fill("short")
        dialog.get_by_role("button", name="Send again").click()
        expect(dialog.get_by_role("alert")).to_contain_text("24 to 64 bytes")
        sound(page, "the question for a secret")
        dialog.get_by_label("Secret").fill(secret)
        dialog.get_by_role("button", name="Send again").click()
        expect(page.locator(".outcome")).to_have_text("The message is sent again.")
        expect(dialog).to_have_count(0)
        see(page, row, "delivered")
        assert len(set(receiver.ids)) == 1
        assert len(receiver.ids) == 2
        row.get_by_role("button", name="Delete the webhook").click()
        page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
        expect(page.locator(".empty")).to_contain_text("No run has a webhook yet")


def see(page, row, status):
    """Load the list again until the webhook has the status."""
    for _ in range(200):
        expect(row).to_have_count(1)
        if row.locator(".chip").inner_text() == status:
            return
        page.reload()
    raise AssertionError(row.inner_text())

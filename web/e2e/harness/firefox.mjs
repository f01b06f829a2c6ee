// One Firefox for the whole run, driven over WebDriver BiDi; a context and a window per person.
import puppeteer from "puppeteer-core";
import { instrument } from "./instrument.mjs";
import { fresh, Person } from "./person.mjs";

let running;

/** The browser, started at the first need. FIREFOX names another one. */
function firefox() {
  running ??= puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX || "/usr/bin/firefox-esr",
    headless: true,
    timeout: 120_000,
    extraPrefsFirefox: {
      // A drawn camera and a tone for a microphone, without a question to the user.
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.autoplay.default": 0,
      // The servers of these tests are on loopback, where Firefox gathers no candidates by itself.
      "media.peerconnection.ice.loopback": true,
      // Addresses other than the default one are gathered for pages that were allowed a camera.
      "permissions.default.camera": 1,
      "permissions.default.microphone": 1,
      // Nobody looks at a headless window, and people look at the page all the same.
      "dom.timeout.enable_budget_timer_throttling": false,
      "dom.min_background_timeout_value": 4,
      "ui.prefersReducedMotion": 1,
    },
  });
  return running;
}

/** An empty window of a context of its own; run and its argument come before the scripts of each page. */
export async function firefoxPage([run, argument] = []) {
  const context = await (await firefox()).createBrowserContext();
  const page = await context.newPage({ type: "window" });
  await page.setViewport({ width: 1024, height: 720 });
  page.setDefaultTimeout(20_000);
  await page.evaluateOnNewDocument(instrument);
  if (run) await page.evaluateOnNewDocument(run, argument);
  return new FirefoxPage(page, context);
}

/** Opens the call page in Firefox and signs in. */
export async function atFirefox(url, name) {
  const opened = await firefoxPage();
  const { page } = opened;
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content.Security.Policy/.test(message.text())) problems.push(message.text());
  });
  const person = new Person(opened, fresh(name), problems);
  await person.open(url);
  return person;
}

/** Ends the browser, if one was started. */
export async function closeFirefox() {
  const started = running;
  running = undefined;
  await (await started)?.close();
}

/** A page of Puppeteer's with those words of Playwright's that the tests use. */
class FirefoxPage {
  constructor(page, context) {
    Object.assign(this, { page, owner: context });
  }

  context = () => this.owner;
  goto = (url) => this.page.goto(url);
  evaluate = (run, argument) => this.page.evaluate(run, argument);
  waitForSelector = (selector) => this.page.waitForSelector(selector);
  fill = (selector, text) => this.page.locator(selector).fill(text);
  click = (selector) => this.page.locator(selector).click();
  press = async (selector, key) => (await this.page.waitForSelector(selector)).press(key);
  locator = (selector, options = {}) => new FirefoxElement(this.page, selector, options.hasText);

  get keyboard() {
    return this.page.keyboard;
  }
}

class FirefoxElement {
  constructor(page, selector, text = "") {
    Object.assign(this, { page, selector, text });
  }

  first = () => this;

  /** Waits until it is there and shown, or, with state "detached", until it is gone. */
  waitFor({ state = "visible", timeout = 20_000 } = {}) {
    const found = ([selector, text, wanted]) => {
      const shown = [...document.querySelectorAll(selector)].some((element) => wanted === "detached" || (element.checkVisibility() && element.innerText.includes(text)));
      return shown === (wanted === "visible");
    };
    return this.page.waitForFunction(found, { timeout, polling: 50 }, [this.selector, this.text, state]);
  }

  innerText = () => this.page.$eval(this.selector, (element) => element.innerText);
  isVisible = () => this.page.$eval(this.selector, (element) => element.checkVisibility());
  getAttribute = (name) => this.page.$eval(this.selector, (element, name) => element.getAttribute(name), name);
}

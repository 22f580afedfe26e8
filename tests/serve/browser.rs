//! A real browser, steered over its DevTools protocol: somebody signs in at the dashboard's page.

use std::process::Command;

use super::*;

/// A browser with one page.
struct Browser {
    _running: Running,
    page: Socket,
    asked: u64,
}

impl Browser {
    fn open(url: &str, profile: &Path) -> Browser {
        let mut command = Command::new("chromium");
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--remote-debugging-port=0", "--remote-allow-origins=*"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank");
        let running = Running::spawn(command);
        let said = running.says("DevTools listening on ws://");
        let url_of = said[said.find("ws://").unwrap()..].to_owned();
        let address = url_of["ws://".len()..].split('/').next().unwrap().to_owned();
        let speak = |url: &str| Socket(tungstenite::client(url, tcp(&address)).unwrap().0);
        let mut browser = Browser { _running: running, page: speak(&url_of), asked: 0 };
        let page = browser.ask("Target.createTarget", json!({ "url": url }));
        let page = page["targetId"].as_str().unwrap();
        browser.page = speak(&format!("ws://{address}/devtools/page/{page}"));
        browser
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        self.page.send(&json!({ "id": self.asked, "method": method, "params": parameters }));
        std::iter::repeat_with(|| self.page.next()).find(|answer| answer["id"] == self.asked).unwrap()["result"]
            .clone()
    }

    /// What a script says in the page.
    fn says(&mut self, script: &str) -> Value {
        let parameters = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        self.ask("Runtime.evaluate", parameters)["result"]["value"].clone()
    }

    /// Asks until a script says true: a page takes its time.
    fn when(&mut self, script: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.says(script) != json!(true) {
            assert!(Instant::now() < deadline, "{script}: {}", self.says("document.body?.innerText"));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn sign_in(&mut self, token: &str) {
        self.when("document.getElementById('sign-in')?.hidden === false");
        let token = json!(token);
        self.says(&format!(
            "document.getElementById('token').value = {token}; document.getElementById('sign-in').requestSubmit()"
        ));
    }
}

#[test]
fn somebody_signs_in_watches_and_signs_out() {
    let dir = dir();
    let (mut server, keys) = Server::with_keys(dir.path(), &[]);
    let url = format!("http://{}/", server.address);
    let mut browser = Browser::open(&url, &dir.path().join("profile"));
    browser.sign_in("not.a.token");
    browser.when("document.getElementById('sign-in-note').textContent.includes('not valid')");
    browser.sign_in(&keys.token_with("admin", "ann", &[]));
    browser.when("document.getElementById('name').textContent === 'ann, admin'");
    browser.when("document.getElementById('link').textContent === 'live'");
    server.running.send(&closed("a", "gate_in"));
    browser.when("document.getElementById('gates').innerText.includes('closed')");
    // No script can read the token, wherever it looks.
    let seen = browser.says("document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.getElementById('token').value + location.href");
    assert_eq!(seen, json!(format!("{{}}{{}}{url}")));
    // A command over the page's WebSocket, which the cookie has opened.
    let mut controller = server
        .upgrade("/ws/controller/gate_in", &[("authorization", &format!("Bearer {}", keys.token("admin")))])
        .ok()
        .unwrap();
    browser.says("new Promise((done) => { const socket = new WebSocket(`ws://${location.host}/ws/gate_in`); socket.onopen = () => { socket.send(JSON.stringify({ type: 'gate_control', payload: { action: 'open' } })); done(true); }; })");
    let asked = controller.next_of("gate_control");
    assert_eq!(asked["payload"]["operator"], "ann");
    browser.says("document.getElementById('sign-out').click()");
    browser.when(
        "document.getElementById('sign-in')?.hidden === false && document.getElementById('person').hidden",
    );
    assert_eq!(browser.says("fetch('api/state').then((answer) => answer.status)"), json!(401));
}

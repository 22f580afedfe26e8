// The barrier's side of park-gate's line protocol, version 1 (see park-gate(1)), for any Arduino.
//
// The arm is up while the relay is on. The pulse is timed here and silence closes, so that a dead host cannot leave the
// gate open; the relay never drops while a vehicle is on the loop. After a reset the relay is off.
//
//   from the gate             to the gate
//   OPEN <ms> <nonce>         HELLO park-barrier 1
//   CLOSE <nonce>             OK <nonce>
//   HOLD <nonce>              ERR <nonce> <reason>
//   HB                        HB
//                             STATE closed|opening|open|closing|held|fault [loop]

const byte RELAY = 4;          // HIGH: the arm goes up and stays up
const byte LOOP = 5;           // LOW: a vehicle is on the loop
const byte UP = 6;             // LOW: the arm is up
const byte DOWN = 7;           // LOW: the arm is down
const bool HAS_SWITCHES = true; // false: without UP and DOWN the arm is believed after TRAVEL

const unsigned long BAUD = 9600;
const unsigned long BEAT = 1000;       // ms between our heartbeats
const unsigned long SILENCE = 3000;    // ms without a line from the gate: close
const unsigned long TRAVEL = 8000;     // ms the arm may take
const unsigned long LONGEST = 3600000; // ms of the longest pulse
const unsigned long SETTLE = 30;       // ms a switch or the loop must stay as it is

enum State { CLOSED, OPENING, OPEN, CLOSING, HELD, FAULT };
const char *const NAMES[] = {"closed", "opening", "open", "closing", "held", "fault"};

State state = CLOSING;  // until the switch says that the arm is down
bool relay = false;
bool hold = false;
bool closeDue = false;  // close as soon as the loop is free
unsigned long openSince, pulse;
unsigned long movingSince, heardAt, beatAt;

State toldState = FAULT;
bool toldLoop = false;
unsigned long toldAt;

// An input that counts only once it has stayed as it is.
struct Input {
  byte pin;
  bool on, last;
  unsigned long since;
  bool read() {
    bool now = digitalRead(pin) == LOW;
    if (now != last) {
      last = now;
      since = millis();
    } else if (millis() - since >= SETTLE) {
      on = now;
    }
    return on;
  }
};
Input loopInput = {LOOP}, upInput = {UP}, downInput = {DOWN};

void setRelay(bool on) {
  if (on != relay) movingSince = millis();
  relay = on;
  digitalWrite(RELAY, on ? HIGH : LOW);
}

void rise() {
  closeDue = false;
  setRelay(true);
  if (state != OPEN && state != HELD) state = OPENING;
}

void answer(const char *word, const char *nonce, const char *reason) {
  Serial.print(word);
  Serial.print(' ');
  Serial.print(nonce);
  if (reason) {
    Serial.print(' ');
    Serial.print(reason);
  }
  Serial.print('\n');
}

// A number of at most ten digits; 0 if the text is none.
unsigned long number(const char *text) {
  unsigned long value = 0;
  byte digits = 0;
  for (; *text; text++) {
    if (*text < '0' || *text > '9' || ++digits > 10) return 0;
    value = value * 10 + (*text - '0');
  }
  return value;
}

void obey(char *line) {
  static char lastNonce[21] = "";
  char *words[4];
  byte count = 0;
  for (char *word = strtok(line, " \r"); word && count < 4; word = strtok(NULL, " \r")) words[count++] = word;
  if (count == 0) return;
  bool isOpen = count == 3 && !strcmp(words[0], "OPEN");
  bool isHold = count == 2 && !strcmp(words[0], "HOLD");
  bool isClose = count == 2 && !strcmp(words[0], "CLOSE");
  bool isBeat = count == 1 && !strcmp(words[0], "HB");
  if (!(isOpen || isHold || isClose || isBeat)) return;  // noise does not keep the gate open either
  heardAt = millis();
  if (isBeat) return;

  const char *nonce = words[count - 1];
  if (strlen(nonce) >= sizeof lastNonce) return;
  if (!strcmp(nonce, lastNonce)) {  // said again because our answer was lost: done once
    answer("OK", nonce, NULL);
    return;
  }
  if (isClose && loopInput.on && relay) {
    hold = false;
    closeDue = true;
    answer("ERR", nonce, "loop");
    return;
  }
  if (isOpen) {
    unsigned long ms = number(words[1]);
    if (ms == 0 || ms > LONGEST) {
      answer("ERR", nonce, "pulse");
      return;
    }
    pulse = ms;
    openSince = millis();
    rise();
  } else if (isHold) {
    hold = true;
    rise();
  } else {
    hold = false;
    closeDue = true;
  }
  strcpy(lastNonce, nonce);
  answer("OK", nonce, NULL);
}

void listen() {
  static char line[64];
  static byte length = 0;
  static bool tooLong = false;
  while (Serial.available()) {
    char c = Serial.read();
    if (c == '\n') {
      line[length] = 0;
      if (!tooLong) obey(line);
      length = 0;
      tooLong = false;
    } else if (length + 1 < (byte)sizeof line) {
      line[length++] = c;
    } else {
      tooLong = true;
    }
  }
}

void move() {
  unsigned long now = millis();
  bool vehicle = loopInput.read(), up = upInput.read(), down = downInput.read();
  bool arrived = now - movingSince >= TRAVEL;
  if (!HAS_SWITCHES) {
    up = relay && arrived;
    down = !relay && arrived;
  }
  if (relay && now - heardAt >= SILENCE) {
    hold = false;
    closeDue = true;
  }
  if (relay && !hold && now - openSince >= pulse) closeDue = true;
  if (relay && closeDue && !vehicle) {
    closeDue = false;
    setRelay(false);
    state = CLOSING;
  }
  // A vehicle that drives under the falling arm sends it up again, for as long as it stands there.
  if (!relay && state == CLOSING && vehicle) {
    rise();
    pulse = 0;
    openSince = now;
  }
  if (relay && up) state = hold ? HELD : OPEN;
  else if (!relay && down) state = CLOSED;
  else if (HAS_SWITCHES && arrived) state = FAULT;
  else if (relay && state != OPENING && !up && HAS_SWITCHES) state = OPENING;
}

void tell() {
  unsigned long now = millis();
  bool changed = state != toldState || loopInput.on != toldLoop;
  if (changed || now - toldAt >= 5 * BEAT) {
    Serial.print("STATE ");
    Serial.print(NAMES[state]);
    Serial.print(loopInput.on ? " loop\n" : "\n");
    toldState = state;
    toldLoop = loopInput.on;
    toldAt = now;
  }
  if (now - beatAt >= BEAT) {
    Serial.print("HB\n");
    beatAt = now;
  }
}

void setup() {
  digitalWrite(RELAY, LOW);
  pinMode(RELAY, OUTPUT);
  pinMode(LOOP, INPUT_PULLUP);
  pinMode(UP, INPUT_PULLUP);
  pinMode(DOWN, INPUT_PULLUP);
  Serial.begin(BAUD);
  Serial.print("HELLO park-barrier 1\n");
  movingSince = heardAt = beatAt = toldAt = millis();
}

void loop() {
  listen();
  move();
  tell();
}

// Prints what an EventSource hears, one JSON array [type, id, data] a line; "open" and "error" as they happen.
//     node events.mjs URL TYPE...
import { EventSource } from "eventsource";

const [url, ...types] = process.argv.slice(2);
const say = (...words) => process.stdout.write(JSON.stringify(words) + "\n");
const source = new EventSource(url);
source.onopen = () => say("open");
source.onerror = () => say("error");
for (const type of ["connected", "reset", "closing", ...types]) {
  source.addEventListener(type, (event) => say(type, event.lastEventId, JSON.parse(event.data)));
}

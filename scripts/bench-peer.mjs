// What a Node back end would do, for scripts/bench-hub to measure beside park-serve: lines of JSON come in over TCP
// and go out to all at /ws (WebSocket), /events (Server-Sent Events) and Socket.IO. No authentication, no filter, no log.
// node bench-peer.mjs HTTP_PORT INPUT_PORT
import { createServer } from 'node:http';
import { createServer as listen } from 'node:net';
import { createInterface } from 'node:readline';
import { Server } from 'socket.io';
import { WebSocketServer } from 'ws';

const [, , port, input] = process.argv;
const streams = new Set();
const http = createServer((request, response) => {
    if (request.url !== '/events') {
        response.end('ok');
        return;
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    response.write(':\n\n');
    streams.add(response);
    request.on('close', () => streams.delete(response));
});
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const io = new Server(http, { destroyUpgrade: false });
http.on('upgrade', (request, socket, head) => {
    if (request.url === '/ws') {
        sockets.handleUpgrade(request, socket, head, () => {});
    }
});
http.listen(port, '127.0.0.1', 65535);
listen((socket) => {
    createInterface({ input: socket }).on('line', (line) => {
        for (const client of sockets.clients) {
            client.send(line);
        }
        const event = `data: ${line}\n\n`;
        for (const stream of streams) {
            stream.write(event);
        }
        if (io.engine.clientsCount > 0) {
            io.emit('event', JSON.parse(line));
        }
    });
}).listen(input, '127.0.0.1');

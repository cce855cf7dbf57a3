// A worker that ticks once a second. Browsers slow the timers of hidden pages
// down to one a minute, longer than a heartbeat may stay away; not a worker's.
setInterval(() => postMessage(null), 1000);

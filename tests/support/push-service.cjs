// The push service of `web-push-testing` in a process of its own, on the loopback interface; its
// first line says its port. It subscribes, takes notices, and shows them decrypted.
const { createServer } = require("node:http");
const { PushApiModel } = require("web-push-testing/src/PushApiModel.js");
const Service = require("web-push-testing/src/server.js");

const model = new PushApiModel();
const service = new Service(model, 0);
service._app.listen = () => {
  const server = createServer(service._app);
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    model.notifyUrl = `http://127.0.0.1:${port}/notify/`;
    console.log(port);
  });
  return server;
};
service.startServer();

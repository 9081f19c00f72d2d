// Two pages: one for the user, one for the supervisor.

export default {
  build: { rollupOptions: { input: ["index.html", "supervisor.html"] } },
};

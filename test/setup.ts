// Ink draws nothing until it exits where CI is set, and colours would depend on who runs the tests.
delete process.env["CI"];
delete process.env["NO_COLOR"];

import { assertEquals } from "@std/assert";
import { closingLine, complaint, countTests } from "../../runner/report.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="1" time="0.2">
    <testsuite name="./a_test.ts" tests="5" disabled="1" errors="1" failures="1">
        <testcase name="one" classname="./a_test.ts" time="0.001" line="1" col="6">
        </testcase>
        <testcase name="two" classname="./a_test.ts" time="0.001" line="2" col="6">
            <failure message="no">Error: &lt;skipped/&gt;</failure>
        </testcase>
        <testcase name="three" classname="./a_test.ts" time="0.001" line="3" col="6">
            <error message="Cancelled"/>
        </testcase>
        <testcase name="four" classname="./a_test.ts" time="0.001" line="4" col="6">
            <skipped/>
        </testcase>
        <testcase name="five" classname="./a_test.ts" time="0.001" line="5" col="6"/>
        <testcase name="five &gt; a step" classname="./a_test.ts" time="0.001" line="6" col="6"/>
        <testcase name="two &gt; a step" classname="./a_test.ts" time="0.001" line="6" col="6">
            <failure message="no">Error</failure>
        </testcase>
        <testcase name="six &gt; seven" classname="./a_test.ts" time="0.001" line="7" col="6"/>
    </testsuite>
</testsuites>`;

Deno.test("countTests() counts the tests that passed, failed and were skipped, and no steps", () => {
  assertEquals(countTests(REPORT, 1), { passed: 3, failed: 2, skipped: 1 });
});

Deno.test("countTests() counts a failure when the run failed and its report shows none", () => {
  assertEquals(countTests('<testcase name="a"/>', 1), {
    passed: 1,
    failed: 1,
    skipped: 0,
  });
  assertEquals(countTests(undefined, 1), { passed: 0, failed: 1, skipped: 0 });
});

Deno.test("complaint() is content only when tests ran and all of them passed", () => {
  assertEquals(complaint({ passed: 3, failed: 0, skipped: 0 }), undefined);
  assertEquals(complaint({ passed: 3, failed: 1, skipped: 0 }), "1 failed");
  assertEquals(complaint({ passed: 3, failed: 0, skipped: 1 }), "1 skipped: every test has to run");
  assertEquals(complaint({ passed: 0, failed: 0, skipped: 0 }), "no test ran");
});

Deno.test("closingLine() says how many passed and failed", () => {
  assertEquals(closingLine({ passed: 12, failed: 3, skipped: 1 }), "12 passed, 3 failed");
});

// The CloudFormation templates: what the validator says of them, what they cost, and that both of
// these can tell.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { COSTS } from './lib/costs.js';
import { AWS, readTemplate } from './lib/template.js';

const TEMPLATE = readTemplate('template.yaml');
const REGIONS = ['us-east-1', 'eu-central-1'];
const engine = new RegoEngine({});
const folder = mkdtempSync(join(tmpdir(), 'vve-aws-'));
after(() => {
    engine.free();
    rmSync(folder, { recursive: true });
});

// What of FILE would fail or deserves a second look. There is no exception that is let pass.
function findings(file, region = 'us-east-1') {
    const report = engine.validateStandard(new TemplateFile(file), {
        severityLevel: 'WARN',
        pseudoParameterOverrides: { region },
    });
    assert.equal(report.status, 'OK');
    return report.diagnostics.map(
        ({ ruleId, severity, startLine, message }) =>
            `${severity} ${ruleId} ${startLine}: ${message}`,
    );
}

function changed(change) {
    const copy = structuredClone(TEMPLATE);
    change(copy);
    return copy;
}

for (const name of ['template.yaml', 'alarm.yaml']) {
    test(`${name}: the validator finds nothing`, () => {
        for (const region of REGIONS) {
            assert.deepEqual(findings(AWS + name, region), [], region);
        }
    });
}

test('the validator finds what is planted', () => {
    const notice = (t) =>
        t.Resources.ZeroSpendBudget.Properties.NotificationsWithSubscribers[0].Notification;
    const plants = {
        'a property that is not there': (t) =>
            (t.Resources.Machine.Properties.LaunchTemplateData.CreditSpecification = {
                CPUCredits: 'standard',
            }),
        'a reference to nothing': (t) =>
            (t.Resources.BillingAlarm.Properties.AlarmActions = [{ Ref: 'Nobody' }]),
        'a property that is wanted': (t) => delete t.Resources.Firewall.Properties.GroupDescription,
        'a word for a number': (t) => (t.Resources.BillingAlarm.Properties.Period = 'often'),
        'a kind that is unknown': (t) => (t.Resources.Server.Type = 'AWS::EC2::Instances'),
        'a server that nobody makes': (t) => (t.Parameters.InstanceType.Default = 't2.micr0'),
        'a dependency that may not exist': (t) =>
            (t.Resources.Firewall.DependsOn = ['BillingAlarm', 'ZeroSpendBudget']),
        'a threshold that budgets do not take': (t) => (notice(t).Threshold = 0.01),
    };
    const file = join(folder, 'planted.json');
    writeFileSync(file, JSON.stringify(TEMPLATE));
    assert.deepEqual(findings(file), [], 'as it is');
    for (const [name, change] of Object.entries(plants)) {
        writeFileSync(file, JSON.stringify(changed(change)));
        assert.notDeepEqual(findings(file), [], name);
    }
});

for (const { name, holds, breaks } of COSTS) {
    test(name, () => {
        assert.ok(holds(TEMPLATE));
        assert.ok(breaks.length > 0);
        for (const change of breaks) {
            assert.ok(!holds(changed(change)), `not noticed: ${change}`);
        }
    });
}

test('alarm.yaml is the alarm of template.yaml', () => {
    const alone = readTemplate('alarm.yaml');
    const { BillingMails, BillingAlarm } = structuredClone(TEMPLATE.Resources);
    delete BillingMails.Condition;
    delete BillingAlarm.Condition;
    assert.deepEqual(alone.Resources, { BillingMails, BillingAlarm });
    assert.deepEqual(alone.Parameters, { BillingMail: TEMPLATE.Parameters.BillingMail });
});

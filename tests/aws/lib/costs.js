// What must hold of the template, so that nobody pays for what he did not want and nobody comes in
// who should not. Each row: its name, what holds of a template, and changes that it must notice.
import { isDeepStrictEqual as same } from 'node:util';
import { waitsFor } from './template.js';

const GUARDS = ['BillingMails', 'BillingAlarm', 'ZeroSpendBudget'];

const properties = (template, name) => template.Resources[name].Properties;
const machine = (template) => properties(template, 'Machine').LaunchTemplateData;
const disk = (template) => machine(template).BlockDeviceMappings[0].Ebs;
const alarm = (template) => properties(template, 'BillingAlarm');
const budget = (template) => properties(template, 'ZeroSpendBudget');
const notice = (template) => budget(template).NotificationsWithSubscribers[0];
const ingress = (template) => properties(template, 'Firewall').SecurityGroupIngress;
const rule = (template, port) => ingress(template).find((row) => row.FromPort === port);

function accepts(template, parameter, good, bad) {
    const pattern = new RegExp(template.Parameters[parameter].AllowedPattern);
    return good.every((value) => pattern.test(value)) && !bad.some((value) => pattern.test(value));
}

// In a region that knows the charges everything waits for all of these, elsewhere for the budget.
function guardsAreFirst(template) {
    return Object.keys(template.Resources)
        .filter((name) => !GUARDS.includes(name))
        .every((name) => {
            const here = waitsFor(template, name, { HasCharges: true });
            const elsewhere = waitsFor(template, name, { HasCharges: false });
            return GUARDS.every((guard) => here.has(guard)) && elsewhere.has('ZeroSpendBudget');
        });
}

function isCidr(text) {
    const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(text);
    return match !== null && match.slice(1, 5).every((part) => part <= 255) && match[5] <= 32;
}

const nowhere = ['', '0.0.0.0/0', '0.0.0.0/1', '10.0.0.0/8', '1.2.3.4/15', '1.2.3.4/33', '1.2.3.4'];
const noCidr = ['256.0.0.1/32', '1.2.3/32', '::/0', ' 1.2.3.4/32', '1.2.3.4/32 ', '1.2.3.4/32\n'];
const noName = ["a'b.org", 'a b.org', 'example', '$(x).org', 'a.org\nb', 'a.org;b', '-a.org', ''];
const noUrl = [
    'http://example.org/vve.deb',
    "https://example.org/'vve.deb",
    'https://example.org/$HOME.deb',
    'https://example.org/a b.deb',
    'https://example.org/vve.deb\n',
];

export const COSTS = [
    {
        name: 'alarm and budget come before all else',
        holds: guardsAreFirst,
        breaks: [
            (t) => delete t.Resources.Firewall.DependsOn,
            (t) => delete properties(t, 'Firewall').Tags,
            (t) => (properties(t, 'Firewall').Tags[0].Value['Fn::If'][1] = 'an alarm'),
            (t) => (machine(t).SecurityGroupIds = ['sg-1']),
            (t) => (alarm(t).AlarmActions = ['arn:aws:sns:us-east-1:1:t']),
            (t) => (t.Resources.Other = { Type: 'AWS::EC2::SecurityGroup' }),
        ],
    },
    {
        name: 'the alarm watches what the account is charged, in dollars',
        holds: (t) =>
            alarm(t).Namespace === 'AWS/Billing' &&
            alarm(t).MetricName === 'EstimatedCharges' &&
            same(alarm(t).Dimensions, [{ Name: 'Currency', Value: 'USD' }]) &&
            alarm(t).Statistic === 'Maximum',
        breaks: [
            (t) => (alarm(t).Namespace = 'AWS/EC2'),
            (t) => (alarm(t).MetricName = 'EstimatedCharge'),
            (t) => (alarm(t).Dimensions[0].Value = 'EUR'),
            (t) => delete alarm(t).Dimensions,
            (t) => (alarm(t).Statistic = 'Minimum'),
        ],
    },
    {
        name: 'the alarm goes off above one cent, after the first figure that says so',
        holds: (t) =>
            alarm(t).Threshold === 0.01 &&
            alarm(t).ComparisonOperator === 'GreaterThanThreshold' &&
            alarm(t).Period === 21600 &&
            alarm(t).EvaluationPeriods === 1 &&
            alarm(t).TreatMissingData === 'notBreaching',
        breaks: [
            (t) => (alarm(t).Threshold = 0.1),
            (t) => (alarm(t).ComparisonOperator = 'LessThanThreshold'),
            (t) => (alarm(t).Period = 300),
            (t) => (alarm(t).EvaluationPeriods = 3),
            (t) => delete alarm(t).TreatMissingData,
        ],
    },
    {
        // CloudWatch may not write to a topic that is encrypted with the key of SNS.
        name: 'the alarm writes a mail',
        holds: (t) =>
            same(alarm(t).AlarmActions, [{ Ref: 'BillingMails' }]) &&
            alarm(t).ActionsEnabled !== false &&
            same(properties(t, 'BillingMails'), {
                Subscription: [{ Protocol: 'email', Endpoint: { Ref: 'BillingMail' } }],
            }),
        breaks: [
            (t) => delete alarm(t).AlarmActions,
            (t) => (alarm(t).ActionsEnabled = false),
            (t) => (properties(t, 'BillingMails').Subscription = []),
            (t) => (properties(t, 'BillingMails').KmsMasterKeyId = 'alias/aws/sns'),
        ],
    },
    {
        name: 'the alarm is where the charges are known, the budget everywhere',
        holds: (t) =>
            same(t.Conditions.HasCharges, {
                'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'],
            }) &&
            t.Resources.BillingAlarm.Condition === 'HasCharges' &&
            t.Resources.BillingMails.Condition === 'HasCharges' &&
            Object.keys(t.Resources).filter((name) => t.Resources[name].Condition).length === 2,
        breaks: [
            (t) => (t.Conditions.HasCharges['Fn::Equals'][1] = 'eu-central-1'),
            (t) => delete t.Resources.BillingAlarm.Condition,
            (t) => delete t.Resources.BillingMails.Condition,
            (t) => (t.Resources.ZeroSpendBudget.Condition = 'HasCharges'),
        ],
    },
    {
        name: 'the budget is one cent a month, and credits do not hide what they pay for',
        holds: (t) => {
            const { BudgetType, TimeUnit, BudgetLimit, CostTypes } = budget(t).Budget;
            return (
                BudgetType === 'COST' &&
                TimeUnit === 'MONTHLY' &&
                same(BudgetLimit, { Amount: 0.01, Unit: 'USD' }) &&
                same(CostTypes, { IncludeCredit: false })
            );
        },
        breaks: [
            (t) => (budget(t).Budget.BudgetType = 'USAGE'),
            (t) => (budget(t).Budget.TimeUnit = 'ANNUALLY'),
            (t) => (budget(t).Budget.BudgetLimit.Amount = 1),
            (t) => (budget(t).Budget.CostTypes.IncludeCredit = true),
            (t) => delete budget(t).Budget.CostTypes,
        ],
    },
    {
        name: 'the budget writes a mail about what was spent',
        holds: (t) =>
            budget(t).NotificationsWithSubscribers.length === 1 &&
            same(notice(t), {
                Notification: {
                    NotificationType: 'ACTUAL',
                    ComparisonOperator: 'GREATER_THAN',
                    ThresholdType: 'PERCENTAGE',
                    Threshold: 100,
                },
                Subscribers: [{ SubscriptionType: 'EMAIL', Address: { Ref: 'BillingMail' } }],
            }),
        breaks: [
            (t) => (notice(t).Notification.NotificationType = 'FORECASTED'),
            (t) => (notice(t).Notification.ComparisonOperator = 'LESS_THAN'),
            (t) => (notice(t).Notification.Threshold = 1000),
            (t) => (notice(t).Subscribers[0].Address = 'a@b.invalid'),
        ],
    },
    {
        // So there is one server, and no address, gateway, balancer, volume, snapshot or log group.
        name: 'there is one of each of six things, and nothing else',
        holds: (t) =>
            same(
                Object.values(t.Resources)
                    .map((resource) => resource.Type)
                    .sort(),
                [
                    'AWS::Budgets::Budget',
                    'AWS::CloudWatch::Alarm',
                    'AWS::EC2::Instance',
                    'AWS::EC2::LaunchTemplate',
                    'AWS::EC2::SecurityGroup',
                    'AWS::SNS::Topic',
                ],
            ),
        breaks: [
            'AWS::EC2::Instance',
            'AWS::EC2::EIP',
            'AWS::EC2::NatGateway',
            'AWS::EC2::Volume',
            'AWS::ElasticLoadBalancingV2::LoadBalancer',
            'AWS::Logs::LogGroup',
            'AWS::AutoScaling::AutoScalingGroup',
        ].map((type) => (t) => (t.Resources.Second = { Type: type })),
    },
    {
        name: 'the server is what the launch template says',
        holds: (t) =>
            same(properties(t, 'Server'), {
                LaunchTemplate: {
                    LaunchTemplateId: { Ref: 'Machine' },
                    Version: { 'Fn::GetAtt': 'Machine.LatestVersionNumber' },
                },
            }),
        breaks: [
            (t) => (properties(t, 'Server').CreditSpecification = { CPUCredits: 'unlimited' }),
            (t) => (properties(t, 'Server').InstanceType = 'm5.large'),
            (t) => (properties(t, 'Server').Monitoring = true),
            (t) => (properties(t, 'Server').LaunchTemplate.Version = '$Default'),
        ],
    },
    {
        name: 'the launch template asks for nothing beyond these',
        holds: (t) =>
            same(Object.keys(machine(t)).sort(), [
                'BlockDeviceMappings',
                'CreditSpecification',
                'ImageId',
                'InstanceType',
                'KeyName',
                'MetadataOptions',
                'Monitoring',
                'SecurityGroupIds',
                'TagSpecifications',
                'UserData',
            ]) &&
            same(machine(t).SecurityGroupIds, [{ 'Fn::GetAtt': 'Firewall.GroupId' }]) &&
            same(machine(t).ImageId, { Ref: 'ImageId' }) &&
            same(machine(t).KeyName, { Ref: 'KeyName' }),
        breaks: [
            (t) => (machine(t).IamInstanceProfile = { Name: 'admin' }),
            (t) => (machine(t).Placement = { Tenancy: 'dedicated' }),
            (t) => machine(t).SecurityGroupIds.push('sg-1'),
            (t) => (machine(t).ImageId = 'ami-0123456789abcdef0'),
        ],
    },
    {
        name: 'a small server, t2.micro unless told otherwise',
        holds: (t) =>
            same(t.Parameters.InstanceType.AllowedValues, ['t2.micro', 't3.micro']) &&
            t.Parameters.InstanceType.Default === 't2.micro' &&
            same(machine(t).InstanceType, { Ref: 'InstanceType' }),
        breaks: [
            (t) => t.Parameters.InstanceType.AllowedValues.push('t3.large'),
            (t) => delete t.Parameters.InstanceType.AllowedValues,
            (t) => (t.Parameters.InstanceType.Default = 't3.micro'),
            (t) => (machine(t).InstanceType = 't3.large'),
        ],
    },
    {
        name: "Debian 12, by Debian's own name for it",
        holds: (t) =>
            same(
                [t.Parameters.ImageId.Type, t.Parameters.ImageId.Default],
                [
                    'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
                    '/aws/service/debian/release/12/latest/amd64',
                ],
            ),
        breaks: [
            (t) => (t.Parameters.ImageId.Type = 'String'),
            (t) => (t.Parameters.ImageId.Default = '/aws/service/debian/release/12/latest/arm64'),
        ],
    },
    {
        name: 'no processor time is bought',
        holds: (t) => same(machine(t).CreditSpecification, { CpuCredits: 'standard' }),
        breaks: [
            (t) => (machine(t).CreditSpecification.CpuCredits = 'unlimited'),
            (t) => (machine(t).CreditSpecification = {}),
        ],
    },
    {
        name: 'no detailed monitoring',
        holds: (t) => same(machine(t).Monitoring, { Enabled: false }),
        breaks: [(t) => (machine(t).Monitoring.Enabled = true)],
    },
    {
        name: 'one disk of 30 GB, encrypted, that goes with the server',
        holds: (t) =>
            machine(t).BlockDeviceMappings.length === 1 &&
            machine(t).BlockDeviceMappings[0].DeviceName === '/dev/xvda' &&
            same(disk(t), {
                VolumeType: 'gp3',
                VolumeSize: 30,
                Encrypted: true,
                DeleteOnTermination: true,
            }),
        breaks: [
            (t) => (disk(t).VolumeSize = 31),
            (t) => (disk(t).VolumeType = 'io2'),
            (t) => (disk(t).Encrypted = false),
            (t) => (disk(t).DeleteOnTermination = false),
            (t) => (disk(t).Iops = 4000),
            (t) => (machine(t).BlockDeviceMappings[0].DeviceName = '/dev/sdb'),
            (t) => machine(t).BlockDeviceMappings.push(machine(t).BlockDeviceMappings[0]),
        ],
    },
    {
        name: 'only who is on the server itself gets its metadata, and with a token',
        holds: (t) =>
            same(machine(t).MetadataOptions, {
                HttpTokens: 'required',
                HttpPutResponseHopLimit: 1,
            }),
        breaks: [
            (t) => (machine(t).MetadataOptions.HttpTokens = 'optional'),
            (t) => (machine(t).MetadataOptions.HttpPutResponseHopLimit = 2),
            (t) => delete machine(t).MetadataOptions,
        ],
    },
    {
        name: 'everybody may come to 80 and 443, the operator to 22, nobody elsewhere',
        holds: (t) =>
            same(
                ingress(t).map((row) => [row.IpProtocol, row.FromPort, row.ToPort, row.CidrIp]),
                [
                    ['tcp', 80, 80, '0.0.0.0/0'],
                    ['tcp', 443, 443, '0.0.0.0/0'],
                    ['tcp', 22, 22, { Ref: 'SshCidr' }],
                ],
            ),
        breaks: [
            (t) => (rule(t, 22).CidrIp = '0.0.0.0/0'),
            (t) => (rule(t, 80).FromPort = 0),
            (t) => (rule(t, 443).ToPort = 65535),
            (t) => (rule(t, 443).IpProtocol = '-1'),
            (t) => ingress(t).push({ ...rule(t, 443), FromPort: 8080, ToPort: 8080 }),
        ],
    },
    {
        name: 'what looks like a range of addresses is one',
        holds: (t) =>
            ingress(t).every((row) => typeof row.CidrIp !== 'string' || isCidr(row.CidrIp)),
        breaks: [
            (t) => (rule(t, 80).CidrIp = '0.0.0.0/33'),
            (t) => (rule(t, 80).CidrIp = '0.0.0.256/0'),
            (t) => (rule(t, 80).CidrIp = 'everywhere'),
        ],
    },
    {
        name: 'SSH cannot be opened to everybody',
        holds: (t) =>
            !('Default' in t.Parameters.SshCidr) &&
            accepts(
                t,
                'SshCidr',
                ['203.0.113.7/32', '10.1.0.0/16', '255.255.255.255/24'],
                [...nowhere, ...noCidr],
            ),
        breaks: [
            (t) => (t.Parameters.SshCidr.AllowedPattern = '.*'),
            (t) => (t.Parameters.SshCidr.AllowedPattern = '^[0-9.]+/[0-9]+$'),
            (t) => (t.Parameters.SshCidr.Default = '0.0.0.0/0'),
        ],
    },
    {
        name: 'what the operator says stays within its quotes',
        holds: (t) =>
            accepts(t, 'Domain', ['example.org', 'a-b.c.example.co.uk', 'x.xn--p1ai'], noName) &&
            accepts(t, 'PackageUrl', ['https://example.org/a/vve_0.1.0_amd64.deb'], noUrl) &&
            accepts(t, 'PackageSha256', ['0a'.repeat(32)], ['0A'.repeat(32), '0'.repeat(63), "'"]),
        breaks: ['Domain', 'PackageUrl', 'PackageSha256'].map(
            (name) => (t) => (t.Parameters[name].AllowedPattern = '.+'),
        ),
    },
    {
        name: 'mail goes to one address',
        holds: (t) =>
            accepts(t, 'BillingMail', ['ada@example.org'], ['', 'ada', 'a@b', 'a@b.c d', '@b.c']),
        breaks: [(t) => (t.Parameters.BillingMail.AllowedPattern = '.*')],
    },
];

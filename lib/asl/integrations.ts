/**
 * What `arn:aws:states:::SERVICE:ACTION` may name in a Task's Resource (AWS, "Integrating services with Step Functions"): the optimized
 * integrations, the ways in which each can be waited for, and the services that the general SDK integration (`aws-sdk:`) reaches.
 */

/** What Step Functions integrates by itself; every other action goes through its general SDK integration. */
export const OPTIMIZED: { readonly [service: string]: readonly string[] } = {
  apigateway: ['invoke'],
  athena: ['startQueryExecution', 'stopQueryExecution', 'getQueryExecution', 'getQueryResults'],
  batch: ['submitJob'],
  bedrock: ['invokeModel', 'createModelCustomizationJob'],
  codebuild: [
    ...['startBuild', 'stopBuild', 'batchDeleteBuilds', 'batchGetReports'],
    ...['startBuildBatch', 'stopBuildBatch', 'retryBuildBatch'],
  ],
  databrew: ['startJobRun'],
  dynamodb: ['getItem', 'putItem', 'deleteItem', 'updateItem'],
  ecs: ['runTask'],
  eks: [
    'call',
    'runJob',
    'createCluster',
    'deleteCluster',
    'createNodegroup',
    'deleteNodegroup',
    'createFargateProfile',
    'deleteFargateProfile',
  ],
  elasticmapreduce: [
    'createCluster',
    'terminateCluster',
    'addStep',
    'cancelStep',
    'setClusterTerminationProtection',
    'modifyInstanceFleetByName',
    'modifyInstanceGroupByName',
  ],
  'emr-containers': ['createVirtualCluster', 'deleteVirtualCluster', 'startJobRun'],
  'emr-serverless': [
    'createApplication',
    'startApplication',
    'stopApplication',
    'deleteApplication',
    'startJobRun',
    'cancelJobRun',
  ],
  events: ['putEvents'],
  glue: ['startJobRun'],
  http: ['invoke'],
  lambda: ['invoke'],
  mediaconvert: ['createJob'],
  sagemaker: [
    'createEndpoint',
    'createEndpointConfig',
    'createHyperParameterTuningJob',
    'createLabelingJob',
    'createModel',
    'createProcessingJob',
    'createTrainingJob',
    'createTransformJob',
    'updateEndpoint',
  ],
  sns: ['publish'],
  sqs: ['sendMessage'],
  states: ['startExecution'],
};

/** Those of OPTIMIZED that allow `.sync`: the service is called again and again until the job has ended. */
export const WAITED_FOR: { readonly [service: string]: readonly string[] } = {
  athena: ['startQueryExecution'],
  batch: ['submitJob'],
  bedrock: ['createModelCustomizationJob'],
  codebuild: ['startBuild', 'startBuildBatch', 'retryBuildBatch'],
  databrew: ['startJobRun'],
  ecs: ['runTask'],
  eks: [
    ...['runJob', 'createCluster', 'deleteCluster', 'createNodegroup', 'deleteNodegroup'],
    ...['createFargateProfile', 'deleteFargateProfile'],
  ],
  elasticmapreduce: ['createCluster', 'terminateCluster', 'addStep'],
  'emr-containers': ['deleteVirtualCluster', 'startJobRun'],
  'emr-serverless': [
    ...['createApplication', 'startApplication', 'stopApplication', 'deleteApplication'],
    ...['startJobRun', 'cancelJobRun'],
  ],
  glue: ['startJobRun'],
  mediaconvert: ['createJob'],
  sagemaker: [
    ...['createHyperParameterTuningJob', 'createLabelingJob', 'createProcessingJob', 'createTrainingJob'],
    'createTransformJob',
  ],
  states: ['startExecution'],
};

/** Actions that allow `.waitForTaskToken`; every action of `aws-sdk:` allows it too. */
const WITH_TOKEN: ReadonlySet<string> = new Set([
  'apigateway:invoke',
  'bedrock:invokeModel',
  'ecs:runTask',
  'eks:call',
  'eks:runJob',
  'events:putEvents',
  'lambda:invoke',
  'sns:publish',
  'sqs:sendMessage',
  'states:startExecution',
]);

/** Names as the AWS SDK for Java has them, of the services of botocore 1.42; newer services are unknown here. */
const SDK_SERVICES: ReadonlySet<string> = new Set(
  (
    'accessanalyzer account acm acmpca aiops amp amplify amplifybackend amplifyuibuilder apigateway apigatewaymanagementapi ' +
    'apigatewayv2 appconfig appconfigdata appfabric appflow appintegrations applicationautoscaling applicationcostprofiler ' +
    'applicationdiscovery applicationdiscoveryservice applicationinsights applicationsignals appmesh apprunner appstream ' +
    'appsync arcregionswitch arczonalshift artifact athena auditmanager autoscaling autoscalingplans b2bi backup ' +
    'backupgateway backupsearch batch bcmdashboards bcmdataexports bcmpricingcalculator bcmrecommendedactions bedrock ' +
    'bedrockagent bedrockagentcore bedrockagentcorecontrol bedrockagentruntime bedrockdataautomation ' +
    'bedrockdataautomationruntime bedrockruntime billing billingconductor braket budgets chatbot chime chimesdkidentity ' +
    'chimesdkmediapipelines chimesdkmeetings chimesdkmessaging chimesdkvoice cleanrooms cleanroomsml cloud9 cloudcontrol ' +
    'clouddirectory cloudformation cloudfront cloudfrontkeyvaluestore cloudhsm cloudhsmv2 cloudsearch cloudsearchdomain ' +
    'cloudtrail cloudtraildata cloudwatch cloudwatchlogs codeartifact codebuild codecatalyst codecommit codeconnections ' +
    'codedeploy codeguruprofiler codegurureviewer codegurusecurity codepipeline codestarconnections codestarnotifications ' +
    'cognitoidentity cognitoidentityprovider cognitosync comprehend comprehendmedical computeoptimizer ' +
    'computeoptimizerautomation config configservice connect connectcampaigns connectcampaignsv2 connectcases ' +
    'connectcontactlens connecthealth connectparticipant controlcatalog controltower costandusagereport ' +
    'costandusagereportservice costexplorer costoptimizationhub customerprofiles databasemigration databasemigrationservice ' +
    'databrew dataexchange datapipeline datasync datazone dax deadline detective devicefarm devopsagent devopsguru ' +
    'directconnect directory directoryservice directoryservicedata dlm docdb docdbelastic drs dsql dynamodb dynamodbstreams ' +
    'ebs ec2 ec2instanceconnect ecr ecrpublic ecs efs eks eksauth elasticache elasticbeanstalk elasticloadbalancing ' +
    'elasticloadbalancingv2 elasticsearch elasticsearchservice elementalinference emr emrcontainers emrserverless ' +
    'entityresolution eventbridge evs finspace finspacedata firehose fis fms forecast forecastquery frauddetector freetier ' +
    'fsx gamelift gameliftstreams geomaps geoplaces georoutes glacier globalaccelerator glue grafana greengrass greengrassv2 ' +
    'groundstation guardduty health healthlake iam identitystore imagebuilder importexport inspector inspector2 inspectorscan ' +
    'interconnect internetmonitor invoicing iot iotdataplane iotdeviceadvisor iotevents ioteventsdata iotfleetwise ' +
    'iotjobsdataplane iotmanagedintegrations iotsecuretunneling iotsitewise iotthingsgraph iottwinmaker iotwireless ivs ' +
    'ivschat ivsrealtime kafka kafkaconnect kendra kendraranking keyspaces keyspacesstreams kinesis kinesisanalytics ' +
    'kinesisanalyticsv2 kinesisvideo kinesisvideoarchivedmedia kinesisvideomedia kinesisvideosignaling ' +
    'kinesisvideowebrtcstorage kms lakeformation lambda launchwizard lexmodelbuilding lexmodelbuildingservice lexmodelsv2 ' +
    'lexruntime lexruntimeservice lexruntimev2 licensemanager licensemanagerlinuxsubscriptions ' +
    'licensemanagerusersubscriptions lightsail location lookoutequipment m2 machinelearning macie2 mailmanager ' +
    'managedblockchain managedblockchainquery marketplaceagreement marketplacecatalog marketplacecommerceanalytics ' +
    'marketplacedeployment marketplacediscovery marketplaceentitlement marketplaceentitlementservice marketplacemetering ' +
    'marketplacereporting mediaconnect mediaconvert medialive mediapackage mediapackagev2 mediapackagevod mediastore ' +
    'mediastoredata mediatailor medicalimaging memorydb mgn migrationhub migrationhubconfig migrationhuborchestrator ' +
    'migrationhubrefactorspaces migrationhubstrategy mpa mq mturk mwaa mwaaserverless neptune neptunedata neptunegraph ' +
    'networkfirewall networkflowmonitor networkmanager networkmonitor notifications notificationscontacts novaact oam ' +
    'observabilityadmin odb omics opensearch opensearchserverless organizations osis outposts panorama partnercentralaccount ' +
    'partnercentralbenefits partnercentralchannel partnercentralselling paymentcryptography paymentcryptographydata ' +
    'pcaconnectorad pcaconnectorscep pcs personalize personalizeevents personalizeruntime pi pinpoint pinpointemail ' +
    'pinpointsmsvoice pinpointsmsvoicev2 pipes polly pricing proton qapps qbusiness qconnect quicksight ram rbin rds rdsdata ' +
    'redshift redshiftdata redshiftserverless rekognition repostspace resiliencehub resourceexplorer2 resourcegroups ' +
    'resourcegroupstaggingapi rolesanywhere route53 route53domains route53globalresolver route53profiles ' +
    'route53recoverycluster route53recoverycontrolconfig route53recoveryreadiness route53resolver rtbfabric rum s3 s3control ' +
    's3files s3outposts s3tables s3vectors sagemaker sagemakera2iruntime sagemakeredge sagemakerfeaturestoreruntime ' +
    'sagemakergeospatial sagemakermetrics sagemakerruntime savingsplans scheduler schemas secretsmanager securityagent ' +
    'securityhub securityir securitylake serverlessapplicationrepository servicecatalog servicecatalogappregistry ' +
    'servicediscovery servicequotas ses sesv2 sfn shield signer signerdata signin simpledb simpledbv2 simspaceweaver sms ' +
    'snowball snowdevicemanagement sns socialmessaging sqs ssm ssmcontacts ssmguiconnect ssmincidents ssmquicksetup ssmsap ' +
    'sso ssoadmin ssooidc storagegateway sts supplychain support supportapp sustainability swf synthetics taxsettings ' +
    'textract timestreaminfluxdb timestreamquery timestreamwrite tnb transcribe transfer translate trustedadvisor uxc ' +
    'verifiedpermissions voiceid vpclattice waf wafregional wafv2 wellarchitected wickr wisdom workdocs workmail ' +
    'workmailmessageflow workspaces workspacesinstances workspacesthinclient workspacesweb xray'
  ).split(' '),
);

/** @returns why the service would refuse the Resource of a Task, or undefined; only integrations of Step Functions are checked */
export function integrationFault(resource: string): string | undefined {
  const [, name] = /^arn:[^:]+:states:[^:]*:[^:]*:(?!activity:)(.+)$/.exec(resource) ?? [];
  if (name === undefined) return undefined;
  const [, sdk, service = '', action = '', pattern] =
    /^(aws-sdk:)?([\w-]+):(\w+)(?:\.(sync(?::2)?|waitForTaskToken))?$/.exec(name) ?? [];
  if (sdk !== undefined) {
    if (!SDK_SERVICES.has(service)) return `Step Functions knows no service '${service}' of the AWS SDK`;
    if (!/^[a-z]/.test(action)) return `The action '${action}' begins with a small letter, as in the SDK for Java`;
    return pattern?.startsWith('sync') ? 'No action of aws-sdk: can be waited for by .sync' : undefined;
  }
  if (!Object.hasOwn(OPTIMIZED, service) || !OPTIMIZED[service]?.includes(action)) {
    return `Step Functions has no integration '${name}'; other actions are reached by aws-sdk:${service}:${action}`;
  }
  const both = `${service}:${action}`;
  if (pattern === 'waitForTaskToken' && !WITH_TOKEN.has(both)) return `${both} cannot wait for a token`;
  if (pattern?.startsWith('sync') && !WAITED_FOR[service]?.includes(action)) {
    return `${both} cannot be waited for by .sync`;
  }
  return pattern === 'sync:2' && service !== 'states' ? `Only states:startExecution has .sync:2` : undefined;
}

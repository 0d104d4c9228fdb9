"""ECR by the tools that people hold: buildah and skopeo, under its real host name, with the token of the aws cli."""
import hashlib
import json

import pytest
from botocore.exceptions import ClientError

from cloud import REGION
from hello import REGISTRY, SYSTEM, Storage, server_program
from waiting import wait_until

NAME = f'{REGISTRY}/app:1'


@pytest.fixture(scope='module')
def ecr(cloud):
    client = cloud.client('ecr')
    client.create_repository(repositoryName='app')
    return client


@pytest.fixture(scope='module')
def pushed(cloud, ecr):
    """The storage that built and pushed the image."""
    context = cloud.work / 'image'
    context.mkdir()
    for source in (SYSTEM / 'image/Dockerfile', server_program()):
        (context / source.name).write_bytes(source.read_bytes())
    (context / 'server').chmod(0o755)
    storage = Storage(cloud.work)
    storage.log_in(cloud)
    storage.build(cloud, NAME, context)
    storage.push(cloud, NAME)
    return storage


def test_pushed_image_is_described(ecr, pushed):
    image = ecr.describe_images(repositoryName='app')['imageDetails'][0]
    assert image['imageTags'] == ['1'] and image['imageDigest'].startswith('sha256:')
    assert image['imageSizeInBytes'] > 100_000
    assert ecr.list_images(repositoryName='app')['imageIds'] == [
        {'imageDigest': image['imageDigest'], 'imageTag': '1'}]


def test_skopeo_sees_and_copies_it(cloud, ecr, pushed):
    seen = json.loads(cloud.exec('skopeo', 'inspect', '--authfile', pushed.authentication, f'docker://{NAME}').stdout)
    digest = ecr.describe_images(repositoryName='app')['imageDetails'][0]['imageDigest']
    assert seen['Digest'] == digest
    cloud.exec('skopeo', 'copy', '--authfile', pushed.authentication, f'docker://{NAME}', f'dir:{cloud.work}/copied')
    manifest = json.loads((cloud.work / 'copied/manifest.json').read_text())
    assert all((cloud.work / 'copied' / layer['digest'].split(':')[1]).stat().st_size == layer['size']
               for layer in manifest['layers'])
    cloud.exec('skopeo', 'copy', '--authfile', pushed.authentication, f'dir:{cloud.work}/copied',
               f'docker://{REGISTRY}/app:2')
    same = ecr.batch_get_image(repositoryName='app', imageIds=[{'imageTag': '2'}])['images'][0]
    assert same['imageId']['imageDigest'] == digest


def test_pull_into_an_empty_store(cloud, pushed):
    other = Storage(cloud.work / 'other')
    other.buildah(cloud, 'pull', '--authfile', pushed.authentication, NAME)
    described = json.loads(other.buildah(cloud, 'inspect', '--type', 'image', NAME).stdout)
    assert described['OCIv1']['config']['Entrypoint'] == ['/server']


def test_layers_are_known_before_a_second_push(cloud, ecr, pushed):
    layers = json.loads(cloud.exec('skopeo', 'inspect', '--authfile', pushed.authentication, f'docker://{NAME}').stdout)
    known = ecr.batch_check_layer_availability(repositoryName='app',
                                               layerDigests=[*layers['Layers'], 'sha256:' + '0' * 64])
    assert [each['layerAvailability'] for each in known['layers']] == ['AVAILABLE'] * len(layers['Layers']) + ['UNAVAILABLE']
    pushed.buildah(cloud, 'push', '--authfile', pushed.authentication, NAME, f'docker://{REGISTRY}/app:3')


def test_nobody_gets_in_without_a_token(cloud, pushed):
    refused = cloud.exec('skopeo', 'inspect', '--no-creds', f'docker://{NAME}', check=False)
    assert refused.returncode != 0 and ('unauthorized' in refused.stderr or 'authentication' in refused.stderr)
    wrong = cloud.exec('skopeo', 'inspect', '--creds', 'AWS:wrong', f'docker://{NAME}', check=False)
    assert wrong.returncode != 0


def test_repository_that_does_not_exist(cloud, pushed):
    refused = pushed.buildah(cloud, 'push', '--authfile', pushed.authentication, NAME, f'docker://{REGISTRY}/none:1',
                             check=False)
    assert refused.returncode != 0 and 'none' in refused.stderr


def test_docker_shim_builds_and_pushes(cloud, ecr, pushed):
    """A script that says docker works inside: build, tag and push go to buildah, never to the host's daemon."""
    context = cloud.work / 'image'
    env = {'STORAGE_DRIVER': 'vfs', 'REGISTRY_AUTH_FILE': str(pushed.authentication),
           'CONTAINERS_STORAGE_CONF': str(cloud.work / 'storage.conf')}
    (cloud.work / 'storage.conf').write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{cloud.work}/shim"\nrunroot = "{cloud.work}/shim-run"\n')
    cloud.exec('docker', 'build', '-t', 'local', context, env=env)
    cloud.exec('docker', 'tag', 'local', f'{REGISTRY}/app:shim', env=env)
    cloud.exec('docker', 'push', f'{REGISTRY}/app:shim', env=env)
    assert ecr.describe_images(repositoryName='app', imageIds=[{'imageTag': 'shim'}])['imageDetails']
    refused = cloud.exec('docker', 'run', 'local', env=env, check=False)
    assert refused.returncode == 64 and 'not served' in refused.stderr


def test_brume_image_push(cloud, ecr, pushed):
    """brume image push: a local image into ECR in one command."""
    env = {'CONTAINERS_STORAGE_CONF': str(cloud.work / 'storage.conf'), 'STORAGE_DRIVER': 'vfs'}
    cloud.brume('image', 'push', 'local', '--repository', 'app:byname', env=env)
    refused = cloud.brume('image', 'push', 'local', '--repository', 'nowhere:1', env=env, check=False)
    assert refused.returncode != 0 and 'no region has a repository nowhere' in refused.stderr
    assert ecr.describe_images(repositoryName='app', imageIds=[{'imageTag': 'byname'}])['imageDetails']


def test_deleted_image_is_gone(cloud, ecr, pushed):
    ecr.batch_delete_image(repositoryName='app', imageIds=[{'imageTag': '3'}])
    with pytest.raises(ClientError, match='ImageNotFoundException'):
        ecr.describe_images(repositoryName='app', imageIds=[{'imageTag': '3'}])
    seen = cloud.exec('skopeo', 'inspect', '--authfile', pushed.authentication, f'docker://{NAME}')
    assert seen.returncode == 0, 'the other tags of the same image stay'


def test_login_works_by_the_cli(cloud):
    token = cloud.aws('ecr', 'get-authorization-token')['authorizationData'][0]
    assert token['proxyEndpoint'] == f'https://{REGISTRY}'


def test_repository_settings(ecr):
    made = ecr.create_repository(repositoryName='team/settings', tags=[{'Key': 'team', 'Value': 'shop'}])['repository']
    assert made['repositoryUri'] == f'{REGISTRY}/team/settings'
    assert ecr.describe_repositories(repositoryNames=['team/settings'])['repositories'][0]['imageTagMutability'] == 'MUTABLE'
    ecr.tag_resource(resourceArn=made['repositoryArn'], tags=[{'Key': 'cost', 'Value': '1'}])
    ecr.untag_resource(resourceArn=made['repositoryArn'], tagKeys=['team'])
    assert ecr.list_tags_for_resource(resourceArn=made['repositoryArn'])['tags'] == [{'Key': 'cost', 'Value': '1'}]
    policy = json.dumps({'Version': '2012-10-17', 'Statement': [{
        'Sid': 'pull', 'Effect': 'Allow', 'Principal': {'AWS': 'arn:aws:iam::111122223333:root'},
        'Action': 'ecr:BatchGetImage'}]})
    ecr.set_repository_policy(repositoryName='team/settings', policyText=policy)
    assert json.loads(ecr.get_repository_policy(repositoryName='team/settings')['policyText']) == json.loads(policy)
    ecr.delete_repository_policy(repositoryName='team/settings')
    with pytest.raises(ClientError, match='RepositoryPolicyNotFoundException'):
        ecr.get_repository_policy(repositoryName='team/settings')
    ecr.put_image_scanning_configuration(repositoryName='team/settings', imageScanningConfiguration={'scanOnPush': False})
    with pytest.raises(ClientError, match='not serve'):
        ecr.put_image_scanning_configuration(repositoryName='team/settings',
                                             imageScanningConfiguration={'scanOnPush': True})
    assert ecr.describe_registry()['registryId'] == '000000000000'
    with pytest.raises(ClientError, match='RepositoryAlreadyExistsException'):
        ecr.create_repository(repositoryName='team/settings')


def test_immutable_tags_stay(cloud, ecr, pushed):
    ecr.create_repository(repositoryName='fixed', imageTagMutability='IMMUTABLE')
    manifest = ecr.batch_get_image(repositoryName='app', imageIds=[{'imageTag': '1'}])['images'][0]['imageManifest']
    pushed.buildah(cloud, 'push', '--authfile', pushed.authentication, NAME, f'docker://{REGISTRY}/fixed:1')
    other = json.dumps({**json.loads(manifest), 'annotations': {'other': 'yes'}})
    with pytest.raises(ClientError, match='ImageTagAlreadyExistsException'):
        ecr.put_image(repositoryName='fixed', imageManifest=other, imageTag='1')
    ecr.put_image_tag_mutability(repositoryName='fixed', imageTagMutability='MUTABLE')
    ecr.put_image(repositoryName='fixed', imageManifest=other, imageTag='1')
    assert len(ecr.list_images(repositoryName='fixed')['imageIds']) == 2


def test_lifecycle_policy_expires_older_images(cloud, ecr, pushed):
    ecr.create_repository(repositoryName='aging')
    rules = {'rules': [{'rulePriority': 1, 'selection': {'tagStatus': 'any', 'countType': 'imageCountMoreThan',
                                                         'countNumber': 1}, 'action': {'type': 'expire'}}]}
    ecr.put_lifecycle_policy(repositoryName='aging', lifecyclePolicyText=json.dumps(rules))
    assert json.loads(ecr.get_lifecycle_policy(repositoryName='aging')['lifecyclePolicyText']) == rules
    pushed.buildah(cloud, 'push', '--authfile', pushed.authentication, NAME, f'docker://{REGISTRY}/aging:1')
    manifest = ecr.batch_get_image(repositoryName='aging', imageIds=[{'imageTag': '1'}])['images'][0]['imageManifest']
    ecr.put_image(repositoryName='aging', imageTag='2',
                  imageManifest=json.dumps({**json.loads(manifest), 'annotations': {'n': '2'}}))
    wait_until(lambda: [each.get('imageTag') for each in ecr.list_images(repositoryName='aging')['imageIds']] == ['2'],
               30, 'the end of the older image')
    ecr.delete_lifecycle_policy(repositoryName='aging')
    with pytest.raises(ClientError, match='LifecyclePolicyNotFoundException'):
        ecr.get_lifecycle_policy(repositoryName='aging')


def test_layer_by_its_url(cloud, ecr, pushed):
    manifest = ecr.batch_get_image(repositoryName='app', imageIds=[{'imageTag': '1'}])['images'][0]['imageManifest']
    layer = json.loads(manifest)['layers'][0]
    url = ecr.get_download_url_for_layer(repositoryName='app', layerDigest=layer['digest'])['downloadUrl']
    cloud.exec('curl', '--silent', '--show-error', '--fail', '--location', '--output', 'layer', url)
    assert 'sha256:' + hashlib.sha256((cloud.work / 'layer').read_bytes()).hexdigest() == layer['digest']


def test_repository_with_images_needs_force(ecr, pushed):
    with pytest.raises(ClientError, match='RepositoryNotEmptyException'):
        ecr.delete_repository(repositoryName='fixed')
    ecr.delete_repository(repositoryName='fixed', force=True)
    with pytest.raises(ClientError, match='RepositoryNotFoundException'):
        ecr.describe_repositories(repositoryNames=['fixed'])

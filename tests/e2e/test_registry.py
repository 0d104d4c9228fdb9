"""ECR by the tools that people hold: buildah and skopeo, under its real host name, with the token of the aws cli."""
import json

import pytest
from botocore.exceptions import ClientError

from cloud import REGION
from hello import REGISTRY, SYSTEM, Storage, server_program

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
    cloud.brume('image', 'push', 'local', '--repository', 'app:byname', '--region', REGION, env=env)
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
